import { once } from 'node:events'
import { connectEnd, startEnds, type Ends, type Pair } from '../proxy/ends.js'
import { forkForwarder, type ForwarderProcess } from '../proxy/forwarder-process.js'
import { startForwarder, type Kind } from '../proxy/forwarders.js'
import { inTurn } from '../proxy/in-turn.js'
import { roundTrips, transfer } from '../proxy/traffic.js'
import type { Case, Suite } from '../runner/case.js'
import { median } from '../runner/statistics.js'

const TRIPS = 500
const TRANSFER = 64 * 1_048_576
/** Connections of one slice, and how many of them are open at a time. */
const VISITS = 300
const VISITS_AT_ONCE = 8

/** What is compared with the pipe: a forwarder in a process of its own, the proxy in the process of the load, or no forwarder. */
type Subject = Exclude<Kind, 'pipe'> | 'here' | 'direct'

/** A way from the client to the server. */
interface Way {
  readonly ends: Ends
  readonly port: number
  readonly pair: Pair
  /** Where the forwarder has a process of its own. */
  readonly process?: ForwarderProcess
}

async function wayOf(subject: Subject | 'pipe', ends: Ends): Promise<Way> {
  const forked = subject === 'here' || subject === 'direct' ? undefined : await forkForwarder(subject, ends.port)
  const { port } = forked ?? (subject === 'here' ? await startForwarder('proxy', ends.port) : ends)
  const way = { ends, port, pair: await ends.connect(port) }
  return forked === undefined ? way : { ...way, process: forked }
}

/** Compares a subject with a plain pipe in a process of its own. */
const toPipe = (
  name: string,
  subject: Subject,
  measureOnce: (way: Way) => Promise<number>,
  rest: Pick<Case, 'bar' | 'refused'> = {},
): Case => ({
  name,
  unit: 'ratio',
  processes: 2,
  ...rest,
  async measure(rounds) {
    const ends = await startEnds()
    const [pipe, ours] = [await wayOf('pipe', ends), await wayOf(subject, ends)]
    try {
      return await inTurn(
        rounds,
        () => measureOnce(pipe),
        () => measureOnce(ours),
      )
    } finally {
      await pipe.process?.stop()
      await ours.process?.stop()
    }
  },
})

const roundTripMs = async ({ pair }: Way): Promise<number> => median(await roundTrips(pair, TRIPS))
const upMs = ({ pair: { client, server } }: Way): Promise<number> => transfer(client, server, TRANSFER)
const downMs = ({ pair: { client, server } }: Way): Promise<number> => transfer(server, client, TRANSFER)

/** The CPU time that a forwarder spends on work. */
const cpuMsOf =
  (work: (way: Way) => Promise<unknown>) =>
  async (way: Way): Promise<number> => {
    const use = async (): Promise<number> => (await way.process?.use())?.cpuMs ?? Number.NaN
    const before = await use()
    await work(way)
    return (await use()) - before
  }

const bothWays = async (way: Way): Promise<number> => (await upMs(way)) + (await downMs(way))

/** The time of many short connections: each sends a byte, gets it back, and ends. */
async function visitsMs({ ends, port }: Way): Promise<number> {
  ends.onAccept = (server) => {
    server.onBytes = () => server.socket.write('x')
    server.socket.on('end', () => server.socket.end())
  }
  let visits = 0
  const visitor = async (): Promise<void> => {
    while ((visits += 1) <= VISITS) {
      const client = connectEnd(port)
      client.onBytes = () => client.socket.end()
      client.socket.write('x')
      await once(client.socket, 'close')
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: VISITS_AT_ONCE }, visitor))
  return performance.now() - start
}

/** 1.3 times the throughput, as a ratio of times. */
const FASTER = { bar: { most: 0.77 } }
/** 0.95 times the throughput. */
const AS_FAST = { bar: { most: 1.05 } }

export const proxyCarry: readonly Suite[] = [
  {
    name: 'proxy-round-trip',
    title: 'The proxy: round trips',
    about:
      '64 bytes there and back over an open connection, one at a time: the median time, to that through a plain pipe (`a.pipe(b)` and `b.pipe(a)`) in a process of its own, which is the bare call here. Client and server share a process.',
    cases: [
      toPipe('no forwarder', 'direct', roundTripMs),
      toPipe('the proxy, in the process of the client', 'here', roundTripMs, { bar: { most: 0.9 }, refused: 1.1 }),
      toPipe('the proxy, in a process of its own', 'proxy', roundTripMs, { bar: { most: 1 }, refused: 1.2 }),
      toPipe('the proxy, in a process of its own, with `publicApiOnly`', 'public', roundTripMs),
    ],
  },
  {
    name: 'proxy-throughput',
    title: 'The proxy: throughput',
    about: `The time of ${TRANSFER / 1_048_576} MiB over an open connection, to that through the pipe: 0.77 is 1.3 times its throughput, 1.05 is 0.95 times. Client and server share a process, which reads into one buffer and does nothing with the bytes. The CPU time is that of the forwarder's process, for a transfer each way.`,
    cases: [
      toPipe('no forwarder, up', 'direct', upMs),
      toPipe('no forwarder, down', 'direct', downMs),
      toPipe('the proxy, up', 'proxy', upMs, FASTER),
      toPipe('the proxy, down', 'proxy', downMs, FASTER),
      toPipe('the proxy with `publicApiOnly`, up', 'public', upMs, AS_FAST),
      toPipe('the proxy with `publicApiOnly`, down', 'public', downMs, AS_FAST),
      toPipe('CPU time of the proxy', 'proxy', cpuMsOf(bothWays), { ...FASTER, refused: 1.1 }),
      toPipe('CPU time of the proxy with `publicApiOnly`', 'public', cpuMsOf(bothWays)),
    ],
  },
  {
    name: 'proxy-connections',
    title: 'The proxy: connections',
    about: `The time of ${VISITS} connections, ${VISITS_AT_ONCE} at a time, each of which sends a byte, gets it back and ends, to that through the pipe: 1.11 is 0.9 times as many connections per second.`,
    cases: [
      toPipe('no forwarder', 'direct', visitsMs),
      toPipe('the proxy', 'proxy', visitsMs, { bar: { most: 1.11 } }),
      toPipe('the proxy with `publicApiOnly`', 'public', visitsMs, { bar: { most: 1.11 } }),
      toPipe('CPU time of the proxy', 'proxy', cpuMsOf(visitsMs), { refused: 1.4 }),
    ],
  },
]
