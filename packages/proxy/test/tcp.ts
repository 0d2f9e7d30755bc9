import { inject, type Fault, type Injection } from '@chaos/core'
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished, vi } from 'vitest'
import { createProxy, type ByteAccount, type Proxy, type ProxyOptions, type ProxyTarget } from '../src/index.js'

/** A server of the test, which is closed with all its connections when the test ends. */
export interface Upstream {
  readonly address: string
  readonly port: number
  readonly server: Server
  /** The connections that it has accepted, oldest first. */
  readonly accepted: readonly Socket[]
  /** Stops listening and destroys all connections. */
  readonly close: () => Promise<void>
}

/** Starts a server. @param onConnection Default: sends back what it gets, and its end. */
export async function startUpstream(onConnection: (socket: Socket) => void = echo): Promise<Upstream> {
  const accepted: Socket[] = []
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    accepted.push(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of accepted) socket.destroy()
    })
  return { address: `127.0.0.1:${port}`, port, server, accepted, close }
}

const echo = (socket: Socket): void =>
  void socket.on('data', (bytes) => socket.write(bytes)).on('end', () => socket.end())

/** A client with what it has received. It does not end by itself when the server does. */
export interface Client {
  readonly socket: Socket
  /** What it has received so far. */
  readonly received: () => Buffer
  /** The order of its events: `end`, an error's code, `close`. */
  readonly events: readonly string[]
  /** Resolves when it has received so many bytes in total. */
  readonly receives: (bytes: number) => Promise<Buffer>
  readonly closed: Promise<void>
}

/** Connects a client. */
export async function connectTo(port: number): Promise<Client> {
  const client = clientOf(port)
  await once(client.socket, 'connect')
  return client
}

/** A client that connects. */
function clientOf(port: number): Client {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const chunks: Buffer[] = []
  const events: string[] = []
  let length = 0
  socket.on('data', (bytes: Buffer) => {
    chunks.push(bytes)
    length += bytes.length
    socket.emit('received')
  })
  socket.on('end', () => events.push('end'))
  socket.on('error', (error: NodeJS.ErrnoException) => events.push(error.code ?? 'error'))
  const closed = new Promise<void>((resolve) =>
    socket.on('close', () => {
      events.push('close')
      resolve()
    }),
  )
  return {
    socket,
    events,
    closed,
    received: () => Buffer.concat(chunks),
    async receives(bytes) {
      while (length < bytes) await once(socket, 'received')
      return Buffer.concat(chunks)
    },
  }
}

/** Where a proxy may live. What holds for one holds for the other. */
export const HOMES: readonly (readonly [string, Partial<ProxyOptions>])[] = [
  ['this thread', {}],
  ['a worker thread', { worker: true }],
]

/** What a test uses, closed when it ends. */
export interface Scene {
  readonly upstream: Upstream
  readonly proxy: Proxy
  readonly connect: () => Promise<Client>
  /** Connects without waiting for the outcome. */
  readonly attempt: () => Client
}

/** Starts a server and a proxy before it. */
export async function startScene(
  options: Partial<ProxyOptions> = {},
  onConnection?: (socket: Socket) => void,
): Promise<Scene> {
  const upstream = await startUpstream(onConnection)
  const proxy = await createProxy({ upstream: upstream.address, ...options })
  const clients: Client[] = []
  let connected = 0
  onTestFinished(async () => {
    for (const { socket } of clients) socket.destroy()
    await proxy.close()
    await upstream.close()
  })
  return {
    upstream,
    proxy,
    async connect() {
      const client = await connectTo(proxy.port)
      clients.push(client)
      connected += 1
      // The system connects a client before the proxy has accepted it, and resets it if the proxy stops listening in between.
      await vi.waitFor(() =>
        expect(proxy.counters.accepted + proxy.counters.turnedAway).toBeGreaterThanOrEqual(connected),
      )
      return client
    },
    attempt() {
      const client = clientOf(proxy.port)
      clients.push(client)
      return client
    },
  }
}

/** Injects a fault until the test ends. */
export async function inForce(
  fault: Fault<ProxyTarget>,
  proxy: ProxyTarget,
  options?: Parameters<typeof inject>[2],
): Promise<Injection> {
  const injection = await inject(fault, proxy, options)
  onTestFinished(() => injection.rollback().then(() => undefined))
  return injection
}

/** Whether the account of a stream balances. */
export function isBalanced({ bytesIn, bytesOut, bytesDropped, bytesHeld }: ByteAccount): boolean {
  return bytesIn === bytesOut + bytesDropped + bytesHeld
}
