import { inject, type Fault, type Injection } from '@chaos/core'
import { rolls } from '@chaos/core/authoring'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { expect, it, vi } from 'vitest'
import { isBalanced } from '../../test/tcp.js'
import { startTlsUpstream, testAuthority } from '../../test/tls.js'
import {
  closeConnections,
  corruptData,
  createProxy,
  delayConnections,
  delayData,
  dropData,
  limitBandwidth,
  limitData,
  loseData,
  refuseConnections,
  resetConnections,
  retransmitData,
  sliceData,
  slowClose,
  type Proxy,
  type ProxyOptions,
  type ProxyTarget,
} from '../index.js'
import type { Authority } from '../tls/index.js'

/** Connections of both tests together. `npm run soak -- proxy` has many more, in several processes. */
const CONNECTIONS = Number(process.env['CHAOS_CHURN_CONNECTIONS'] ?? 2_000)
const isSoak = process.env['CHAOS_CHURN_CONNECTIONS'] !== undefined
const SEED = process.env['CHAOS_CHURN_SEED'] ?? 'churn'
/** Connections that are open at a time. */
const AT_ONCE = 50
/** Faults that are in force at a time. */
const FAULTS_AT_ONCE = 6

type Maker = (n: number) => Fault<ProxyTarget>

/** Faults with which a connection ends when its client and its server have ended. */
const IN_ORDER: readonly Maker[] = [
  () => corruptData({ stream: 'both' }),
  (n) => delayConnections({ delayMs: n }),
  (n) => delayData({ delayMs: n, stream: 'both' }),
  (n) => limitBandwidth({ bytesPerSecond: 10_000 * n, stream: 'both' }),
  () => loseData({ lossRate: 0.2, stream: 'both' }),
  (n) => retransmitData({ lossRate: 0.2, timeoutMs: n, stream: 'both' }),
  (n) => sliceData({ sizeBytes: 1 + n, stream: 'both' }),
  (n) => slowClose({ delayMs: n, stream: 'both' }),
]

/** Faults that end connections. */
const ENDING: readonly Maker[] = [
  (n) => closeConnections({ afterMs: n, stream: 'both' }),
  (n) => dropData({ timeoutMs: n + 1, stream: 'both' }),
  (n) => limitData({ bytes: n * 10, stream: 'both' }),
  (n) => refuseConnections({ how: n % 2 === 0 ? 'reset' : 'close', afterMs: n }),
  (n) => resetConnections({ afterMs: n, stream: 'both' }),
]

/** Bytes as one side of the proxy has sent and received them. */
interface Seen {
  sent: number
  received: number
}

/** Random numbers of a seed, the same ones for the same purpose. */
function drawsFor(purpose: string): () => number {
  const roll = rolls(SEED, purpose, '')
  let drawn = 0
  return () => roll((drawn += 1))
}

/** A client that sends something and its end, or gives up. Resolves when its socket is closed. */
function visit(socket: Socket, seen: Seen, draw: () => number, isPatient: boolean): Promise<void> {
  socket.on('error', () => undefined).on('data', (bytes) => (seen.received += bytes.length))
  const length = 1 + Math.floor(draw() * 200)
  seen.sent += length
  socket.write('x'.repeat(length))
  if (!isPatient && draw() < 0.1)
    socket.once('connect', () => (socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy()))
  else socket.end()
  return new Promise((resolve) => socket.on('close', () => resolve()))
}

/** A server that sends back what it gets, and its end. */
async function startEcho(): Promise<{
  readonly port: number
  readonly seen: Seen
  readonly close: () => Promise<unknown>
}> {
  const seen: Seen = { sent: 0, received: 0 }
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('data', (bytes) => {
      seen.received += bytes.length
      seen.sent += bytes.length
      socket.write(bytes)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

/** Lets faults come, change and go, until it is told to stop. */
async function meddle(
  proxy: Proxy,
  makers: readonly Maker[],
  draw: () => number,
  isOver: () => boolean,
): Promise<number> {
  const live: { readonly injection: Injection; readonly make: Maker }[] = []
  let edits = 0
  for (; !isOver(); edits += 1) {
    const n = 1 + Math.floor(draw() * 4)
    const at = Math.floor(draw() * live.length)
    const chosen = live[at]
    const what = draw()
    if (chosen === undefined || (what < 0.4 && live.length < FAULTS_AT_ONCE)) {
      const make = makers[Math.floor(draw() * makers.length)] as Maker
      live.push({ make, injection: await inject(make(n), proxy, { rate: 0.5, seed: SEED }) })
    } else if (what < 0.7) proxy.update(chosen.injection.id, chosen.make(n))
    else {
      live.splice(at, 1)
      await chosen.injection.rollback()
      expect(chosen.injection.account['bytesHeld'] ?? 0).toBe(0)
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  for (const { injection } of live) {
    await injection.rollback()
    expect(injection.account['bytesHeld'] ?? 0).toBe(0)
  }
  return edits
}

/** The number of open sockets of this process, and of what the system counts as open. */
function handles(): readonly number[] {
  const { getActiveResourcesInfo } = process as unknown as { readonly getActiveResourcesInfo: () => readonly string[] }
  const sockets = getActiveResourcesInfo().filter((name) => /TCP(Socket|Server)/.test(name)).length
  return existsSync('/proc/self/fd') ? [sockets, readdirSync('/proc/self/fd').length] : [sockets]
}

/** What a churn needs besides faults. */
interface Scene {
  readonly address: string
  readonly close: () => Promise<unknown>
  readonly options?: Partial<ProxyOptions>
  readonly dial?: (port: number) => Socket
}
const dialPlain = (port: number): Socket => connect({ port, host: '127.0.0.1' })

/** Sends connections through a proxy while faults come, change and go. @returns What the proxy and its clients have seen of the bytes. */
async function churn(
  connections: number,
  makers: readonly Maker[],
  isPatient: boolean,
  { address, options, dial = dialPlain, close }: Scene,
) {
  const proxy = await createProxy({ upstream: address, ...options })
  const clients: Seen = { sent: 0, received: 0 }
  let visits = 0
  let isOver = false
  const meddling = meddle(proxy, makers, drawsFor(`faults ${String(isPatient)}`), () => isOver)
  const visitor = async (): Promise<void> => {
    while ((visits += 1) <= connections)
      await visit(dial(proxy.port), clients, drawsFor(`visit ${String(isPatient)} ${visits}`), isPatient)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, visitor))
  isOver = true
  expect(await meddling).toBeGreaterThan(0)
  await vi.waitFor(() => expect(proxy.connections()).toEqual([]))
  const { counters } = proxy
  expect(counters).toMatchObject({ accepted: connections, open: 0, turnedAway: 0 })
  expect(counters.upstream.bytesDropped).toBeGreaterThan(0)
  for (const account of [counters.upstream, counters.downstream]) {
    expect(account.bytesHeld).toBe(0)
    expect(isBalanced(account), JSON.stringify(account)).toBe(true)
  }
  await proxy.close()
  await close()
  return { counters, clients }
}

/** The same before a server that sends back what it gets. @returns What it has seen of the bytes, too. */
async function churnEcho(connections: number, makers: readonly Maker[], isPatient: boolean) {
  const before = handles()
  const server = await startEcho()
  const outcome = await churn(connections, makers, isPatient, {
    address: `127.0.0.1:${server.port}`,
    close: server.close,
  })
  await vi.waitFor(() => expect(handles()).toEqual(before))
  return { ...outcome, servers: server.seen }
}

/** For what hangs, not a bar on speed. */
const LIMIT_MS = Math.max(300_000, 20 * CONNECTIONS)
const half = Math.ceil(CONNECTIONS / 2)

it(
  `accounts for every byte of ${half} connections under faults that come, change and go (seed ${SEED})`,
  { timeout: LIMIT_MS },
  async () => {
    const { counters, clients, servers } = await churnEcho(half, IN_ORDER, true)
    const { upstream, downstream } = counters
    expect([upstream.bytesIn, upstream.bytesOut, downstream.bytesIn, downstream.bytesOut]).toEqual([
      clients.sent,
      servers.received,
      servers.sent,
      clients.received,
    ])
  },
)

it(
  `leaves no socket and no byte behind ${half} connections that faults and clients end or reset (seed ${SEED})`,
  { timeout: LIMIT_MS },
  async () => {
    const { counters, clients, servers } = await churnEcho(half, [...IN_ORDER, ...ENDING], false)
    const { upstream, downstream } = counters
    // A reset drops what is with the system.
    expect(upstream.bytesIn).toBeLessThanOrEqual(clients.sent)
    expect(servers.received).toBeLessThanOrEqual(upstream.bytesOut)
    expect(downstream.bytesIn).toBeLessThanOrEqual(servers.sent)
    expect(clients.received).toBeLessThanOrEqual(downstream.bytesOut)
  },
)

async function tlsScene(optionsFor: (authority: Authority) => Partial<ProxyOptions>): Promise<Scene> {
  const authority = await testAuthority()
  const upstream = await startTlsUpstream()
  const how = { host: '127.0.0.1', ca: authority.certificate, servername: 'localhost' }
  return { ...upstream, options: optionsFor(authority), dial: (port) => connectTls({ ...how, port }) }
}

/** Other ways through a proxy, with their connections in the soak. They take more time for each connection. */
const WAYS: Readonly<Record<string, readonly [number, () => Promise<Scene>]>> = {
  'a proxy in a worker thread': [
    1_000,
    async () => {
      const { port, close } = await startEcho()
      return { address: `127.0.0.1:${port}`, close, options: { worker: true } }
    },
  ],
  'TLS that passes through': [300, () => tlsScene(() => ({ readServerName: true }))],
  'TLS that the proxy ends and begins': [
    300,
    () => tlsScene((authority) => ({ tls: { authority }, upstreamTls: { ca: authority.certificate } })),
  ],
}

it.for(Object.entries(WAYS))(
  'leaves no socket and no byte behind connections through %s',
  { timeout: LIMIT_MS },
  async ([, [connections, scene]]) => {
    const before = handles()
    await churn(isSoak ? connections : Math.ceil(connections / 3), [...IN_ORDER, ...ENDING], false, await scene())
    await vi.waitFor(() => expect(handles()).toEqual(before))
  },
)
