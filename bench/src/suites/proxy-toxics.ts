import { startEnds, type Pair } from '../proxy/ends.js'
import { forkForwarder, type ForwarderProcess } from '../proxy/forwarder-process.js'
import { inTurn } from '../proxy/in-turn.js'
import { roundTrips, transfer } from '../proxy/traffic.js'
import type { Case, Suite } from '../runner/case.js'
import type { Readings } from '../runner/compare.js'
import { quantile } from '../runner/statistics.js'

const TRANSFER = 64 * 1_048_576
/** Faults of one proxy, as users have them at most. */
const IDLE = 8
const DELAY_MS = 5
/** Round trips, and timers, of one reading. */
const SAMPLES = 60
const KILOBYTE = 1_000

/** Faults that a connection passes though they have nothing to do: the end is not there yet, the limit far away. */
const NOTHING_TO_DO = [
  { fault: 'proxy/slow-close', options: { delayMs: 1, stream: 'both' } },
  { fault: 'proxy/limit-data', options: { bytes: Number.MAX_SAFE_INTEGER, stream: 'both' } },
] as const

/** Does work with a proxy in a process of its own. */
async function withProxy<Result>(
  work: (proxy: ForwarderProcess, connect: () => Promise<Pair>) => Promise<Result>,
): Promise<Result> {
  const ends = await startEnds()
  const proxy = await forkForwarder('proxy', ends.port)
  try {
    return await work(proxy, () => ends.connect(proxy.port))
  } finally {
    await proxy.stop()
  }
}

/** @param how The blast radius of the faults. */
async function armIdle(proxy: ForwarderProcess, count: number, how: { readonly rate: number }): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const { fault, options } = NOTHING_TO_DO[index % NOTHING_TO_DO.length] as (typeof NOTHING_TO_DO)[number]
    await proxy.arm({ fault, options, how })
  }
}

/** The proxies of a comparison, and a connection through each. */
interface Sides {
  readonly less: Side
  readonly more: Side
}

interface Side {
  readonly proxy: ForwarderProcess
  readonly pair: Pair
}

const transferMs = ({ pair: { client, server } }: Side): Promise<number> => transfer(server, client, TRANSFER)

/** The CPU time that a proxy spends on a transfer. */
async function cpuMs(side: Side): Promise<number> {
  const before = (await side.proxy.use()).cpuMs
  await transferMs(side)
  return (await side.proxy.use()).cpuMs - before
}

/** What each of some further idle faults adds to a cost of a transfer: 1 is nothing. */
const idle = (
  name: string,
  from: number,
  to: number,
  how: { readonly rate: number },
  measureOnce: (side: Side) => Promise<number>,
  rest: Pick<Case, 'bar' | 'refused'> = {},
): Case => ({
  name,
  unit: 'ratio',
  processes: 2,
  ...rest,
  measure: (rounds) =>
    withSides(from, to, how, async ({ less, more }) => {
      const { values, ...times } = await inTurn(
        rounds,
        () => measureOnce(less),
        () => measureOnce(more),
      )
      return { ...times, values: values.map((ratio) => 1 + (ratio - 1) / (to - from)) }
    }),
})

/** Does work with two proxies that have so many idle faults. */
const withSides = <Result>(
  from: number,
  to: number,
  how: { readonly rate: number },
  work: (sides: Sides) => Promise<Result>,
): Promise<Result> =>
  withProxy((less, connectLess) =>
    withProxy(async (more, connectMore) => {
      await armIdle(less, from, how)
      await armIdle(more, to, how)
      return work({
        less: { proxy: less, pair: await connectLess() },
        more: { proxy: more, pair: await connectMore() },
      })
    }),
  )

async function timers(): Promise<number[]> {
  const values: number[] = []
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const from = performance.now()
    await new Promise((resolve) => setTimeout(resolve, DELAY_MS))
    values.push(performance.now() - from)
  }
  return values
}

/** Measures delayed round trips, bare timers, and round trips whose server waits as long by a timer, in turn. */
const delayed = (
  name: string,
  combine: (trips: readonly number[], timers: readonly number[], waited: readonly number[]) => number,
  rest: Pick<Case, 'unit' | 'bar' | 'refused'>,
): Case => ({
  name,
  processes: 2,
  ...rest,
  measure: (rounds) =>
    withProxy((proxy, connect) =>
      withProxy(async (_whole, connectWhole) => {
        await proxy.arm({ fault: 'proxy/delay-data', options: { delayMs: DELAY_MS } })
        const [pair, whole] = [await connect(), await connectWhole()]
        await roundTrips(pair, SAMPLES)
        const values: number[] = []
        for (let round = 0; round < rounds; round += 1) {
          const trips = await roundTrips(pair, SAMPLES)
          values.push(combine(trips, await timers(), await roundTrips(whole, SAMPLES, DELAY_MS)))
        }
        return { values }
      }),
    ),
})

/** How far the time of a transfer is from what the rate makes of it, longer or shorter. */
const bandwidth = (kilobytes: number): Case => ({
  name: `${kilobytes.toLocaleString('en')} KB/s`,
  unit: 'ratio',
  bar: { most: 1.02 },
  processes: 1,
  measure: (rounds, isQuick) =>
    withProxy(async (proxy, connect): Promise<Readings> => {
      const bytesPerSecond = kilobytes * KILOBYTE
      await proxy.arm({ fault: 'proxy/limit-bandwidth', options: { bytesPerSecond } })
      const { client, server } = await connect()
      const bytes = bytesPerSecond * (isQuick ? 0.5 : 2)
      const idealMs = (bytes / bytesPerSecond) * 1_000
      const values: number[] = []
      for (let round = 0; round < rounds; round += 1) {
        const tookMs = await transfer(server, client, bytes)
        values.push(Math.max(tookMs / idealMs, idealMs / tookMs))
      }
      return { values }
    }),
})

/** 3 % more. */
const LITTLE = { bar: { most: 1.03 } }

export const proxyToxics: readonly Suite[] = [
  {
    name: 'proxy-toxics',
    title: 'The proxy: faults with nothing to do',
    about: `What each further idle fault adds to the time of ${TRANSFER / 1_048_576} MiB down, as a ratio: two proxies, each in a process of its own, with more and with fewer of them. The bare call is a transfer with fewer. An idle fault is one that was not chosen for the connection, or one that every byte passes and that has nothing to do: half of these are \`slowClose\` before the end, half \`limitData\` far from its limit.`,
    cases: [
      idle(`each of ${IDLE} that were not chosen`, 0, IDLE, { rate: 0 }, transferMs, LITTLE),
      idle('the first that every byte passes', 0, 1, { rate: 1 }, transferMs),
      idle(`each of ${IDLE} more that every byte passes`, 1, 1 + IDLE, { rate: 1 }, transferMs, LITTLE),
      idle('the first that every byte passes: CPU time of the proxy', 0, 1, { rate: 1 }, cpuMs, { refused: 1.5 }),
      idle(`each of ${IDLE} more that every byte passes: CPU time of the proxy`, 1, 1 + IDLE, { rate: 1 }, cpuMs, {
        ...LITTLE,
        refused: 1.15,
      }),
    ],
  },
  {
    name: 'proxy-delays',
    title: 'The proxy: delays',
    about: `Round trips under \`delayData\` of ${DELAY_MS} ms, one after the other, in turn with bare timers of as long in the process of the client, and with round trips through a proxy without a fault whose server waits as long by a timer before it answers. The way through the proxy is part of a round trip, and not of a bare timer.`,
    cases: [
      delayed('answers that arrive early', (trips) => trips.filter((ms) => ms < DELAY_MS).length, {
        unit: 'count',
        bar: { most: 0 },
        refused: 0,
      }),
      delayed('bare `setTimeout`: late at p50', (_, bare) => quantile(bare, 0.5) - DELAY_MS, { unit: 'ms' }),
      delayed('round trip: late at p50', (trips) => quantile(trips, 0.5) - DELAY_MS, { unit: 'ms' }),
      delayed(
        'round trip: late at p50 beyond a bare `setTimeout`',
        (trips, bare) => quantile(trips, 0.5) - quantile(bare, 0.5),
        { unit: 'ms', bar: { most: 0.3 } },
      ),
      delayed(
        'round trip: late at p50 beyond one whose server waits by `setTimeout`',
        (trips, _bare, waited) => quantile(trips, 0.5) - quantile(waited, 0.5),
        { unit: 'ms', bar: { most: 0.3 } },
      ),
      delayed('round trip: late at p99', (trips) => quantile(trips, 0.99) - DELAY_MS, { unit: 'ms' }),
    ],
  },
  {
    name: 'proxy-bandwidth',
    title: 'The proxy: bandwidth',
    about:
      'The time of a transfer of two seconds under `limitBandwidth`, to the time that the rate makes of it, or the other way round if it is shorter: 1.02 is 2 % off.',
    cases: [10, 100, 1_000, 10_000].map(bandwidth),
  },
]
