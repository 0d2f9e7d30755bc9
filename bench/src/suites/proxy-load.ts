import { startEnds, type Ends, type Pair } from '../proxy/ends.js'
import { forkForwarder, type ForwarderProcess } from '../proxy/forwarder-process.js'
import { PROXY_NAME, type Kind } from '../proxy/forwarders.js'
import { inTurn } from '../proxy/in-turn.js'
import { roundTrips, send, transfer } from '../proxy/traffic.js'
import type { Case, Suite } from '../runner/case.js'
import { quantile } from '../runner/statistics.js'

const MEBIBYTE = 1_048_576
/** Clients that do not read, and what the server has for each of them. */
const STALLED = 100
const STALLED_BYTES = 8 * MEBIBYTE
/** Links that hold data, and how much each. */
const HOLDING = 100
const HELD_BYTES = 1_000_000
const IDLE = 5_000
const TRIPS = 1_000
/** The address of clients that the faults of this suite affect. */
const AFFECTED = '127.0.0.2'
const CARRIED = { whole: 10_000_000_000, quick: 500_000_000 }
const COUNTED = 512 * MEBIBYTE

async function withForwarder<Result>(
  kind: Kind,
  work: (forwarder: ForwarderProcess, ends: Ends) => Promise<Result>,
): Promise<Result> {
  const ends = await startEnds()
  const forwarder = await forkForwarder(kind, ends.port)
  try {
    return await work(forwarder, ends)
  } finally {
    await forwarder.stop()
  }
}

/** Calls Toxiproxy's API. @returns How long the answer took, in ms. */
async function call(url: string, method: string, path: string, body?: object): Promise<number> {
  const from = performance.now()
  const answer = await fetch(`${url}${path}`, { method, ...(body && { body: JSON.stringify(body) }) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`Expected ${method} ${path} to succeed, got ${answer.status} ${text}.`)
  return performance.now() - from
}

/** Adds a toxic that affects all connections, changes it, lists everything, and removes it. @returns The longest call, in ms. */
async function slowestCall(url: string): Promise<number> {
  const toxics = `/proxies/${PROXY_NAME}/toxics`
  const attributes = { latency: 10, jitter: 0 }
  return Math.max(
    await call(url, 'POST', toxics, { name: 'slow', type: 'latency', attributes }),
    await call(url, 'POST', `${toxics}/slow`, { attributes: { latency: 20 } }),
    await call(url, 'GET', '/proxies'),
    await call(url, 'DELETE', `${toxics}/slow`),
  )
}

const control: Case = {
  name: `the slowest of four calls beside ${STALLED} clients that do not read`,
  unit: 'ms',
  bar: { most: 50 },
  processes: 2,
  measure: (rounds) =>
    withForwarder('toxiproxy', async ({ port, url }, ends) => {
      for (let index = 0; index < STALLED; index += 1) {
        const { client, server } = await ends.connect(port)
        client.socket.pause()
        // Fails when the forwarder ends.
        send(server, STALLED_BYTES).catch(() => undefined)
      }
      const values: number[] = []
      await slowestCall(url)
      for (let round = 0; round < rounds; round += 1) values.push(await slowestCall(url))
      return { values }
    }),
}

/** Has a proxy hold what a server sends to many clients. */
async function hold(proxy: ForwarderProcess, ends: Ends): Promise<void> {
  await proxy.arm({ fault: 'proxy/delay-data', options: { delayMs: 600_000 }, how: { only: AFFECTED } })
  for (let index = 0; index < HOLDING; index += 1) {
    const { server } = await ends.connect(proxy.port, AFFECTED)
    await send(server, HELD_BYTES)
  }
  while ((await proxy.use()).heldBytes < HOLDING * HELD_BYTES) await new Promise((resolve) => setTimeout(resolve, 10))
}

const held: Case = {
  name: `p99 while ${HOLDING} links hold ${HELD_BYTES / 1_000_000} MB each`,
  unit: 'ratio',
  processes: 2,
  measure: (rounds) =>
    withForwarder('proxy', (light, ends) =>
      withForwarder('proxy', async (heavy, otherEnds) => {
        await hold(heavy, otherEnds)
        const [bare, subject] = [await ends.connect(light.port), await otherEnds.connect(heavy.port)]
        const p99Ms = async (pair: Pair): Promise<number> => quantile(await roundTrips(pair, TRIPS), 0.99)
        return inTurn(
          rounds,
          () => p99Ms(bare),
          () => p99Ms(subject),
        )
      }),
    ),
}

const idle = (name: string, kind: Kind): Case => ({
  name: `each of ${IDLE.toLocaleString('en')} idle connections, ${name}`,
  unit: 'KiB',
  processes: 1,
  measure: () =>
    withForwarder(kind, async (forwarder, ends) => {
      const before = await forwarder.use()
      for (let open = 0; open < IDLE; open += 1) await ends.connect(forwarder.port)
      return { values: [((await forwarder.use()).rssKiB - before.rssKiB) / IDLE] }
    }),
})

/** Sends bytes down, in pieces. */
async function carry({ client, server }: Pair, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes; sent += COUNTED) await transfer(server, client, Math.min(COUNTED, bytes - sent))
}

const memory = (name: string, kind: Kind, of: 'rssKiB' | 'heapKiB'): Case => ({
  name: `${of === 'rssKiB' ? 'resident memory' : 'heap'} after 10 GB, ${name}`,
  unit: 'KiB',
  processes: 1,
  measure: (_, isQuick) =>
    withForwarder(kind, async (forwarder, ends) => {
      await carry(await ends.connect(forwarder.port), isQuick ? CARRIED.quick : CARRIED.whole)
      return { values: [(await forwarder.use())[of]] }
    }),
})

const allocations = (name: string, kind: Kind): Case => ({
  name: `allocated on the heap per MiB carried, ${name}`,
  unit: 'KiB',
  processes: 1,
  measure: (rounds) =>
    withForwarder(kind, async (forwarder, ends) => {
      const pair = await ends.connect(forwarder.port)
      await carry(pair, COUNTED)
      const values: number[] = []
      for (let round = 0; round < rounds; round += 1)
        values.push((await forwarder.allocatesKiB(() => carry(pair, COUNTED))) / (COUNTED / MEBIBYTE))
      return { values }
    }),
})

/** Kinds by their names in the tables. */
const KINDS = { 'the pipe': 'pipe', 'the proxy': 'proxy', 'the proxy with `publicApiOnly`': 'public' } as const

const eachKind = <Of>(of: readonly Of[], make: (name: string, kind: Kind, of: Of) => Case): Case[] =>
  of.flatMap((one) => Object.entries(KINDS).map(([name, kind]) => make(name, kind, one)))

export const proxyLoad: readonly Suite[] = [
  {
    name: 'proxy-control',
    title: 'The proxy: control calls',
    about: `Toxiproxy's API while ${STALLED} clients do not read the ${STALLED_BYTES / MEBIBYTE} MiB that the server has for each of them: a toxic for all connections is added, changed and removed, and all proxies are listed.`,
    cases: [control],
  },
  {
    name: 'proxy-held',
    title: 'The proxy: round trips beside links that hold data',
    about:
      'Round trips of 64 bytes over a connection that no fault affects, while a delay holds the data of others, to those through a proxy that holds nothing (the bare call).',
    cases: [held],
  },
  {
    name: 'proxy-memory',
    title: 'The proxy: memory',
    about:
      'What the process of the forwarder uses, after a collection of garbage. Resident memory includes Node.js itself, and the buffers of the system are not in it. Allocations are what is added to the heap between collections; the memory of buffers is not in them. With `--quick`, 0.5 GB is carried instead of 10.',
    cases: [
      ...eachKind([undefined], idle),
      ...eachKind(['rssKiB', 'heapKiB'] as const, memory),
      ...eachKind([undefined], allocations),
    ],
  },
]
