import { once } from 'node:events'
import net, { type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A TCP server on a free port of 127.0.0.1. Its connections end with the test. */
export interface TcpServer {
  readonly port: number
  /** What it accepted, oldest first. */
  readonly accepted: readonly Socket[]
}

/** Starts one for the running test. */
export async function listen(onConnection: (socket: Socket) => void = () => undefined): Promise<TcpServer> {
  const { close, ...server } = await tcpServer(onConnection)
  onTestFinished(close)
  return server
}

/** Starts one that stays until it is closed. */
async function tcpServer(
  onConnection: (socket: Socket) => void = () => undefined,
): Promise<TcpServer & { readonly close: () => Promise<void> }> {
  const accepted: Socket[] = []
  const server = net
    .createServer((socket) => {
      accepted.push(socket.on('error', () => undefined))
      onConnection(socket)
    })
    .listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as net.AddressInfo).port,
    accepted,
    async close() {
      for (const socket of accepted) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A connection that stands. */
export async function connected(port: number): Promise<Socket> {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

const EVENTS = [
  'lookup',
  'connectionAttempt',
  'connectionAttemptFailed',
  'connectionAttemptTimeout',
  'connect',
  'ready',
  'data',
  'end',
  'timeout',
  'error',
  'close',
] as const

/** What a socket tells until it is closed: its events in order, errors by code and message. */
export async function lifeOf(socket: Socket): Promise<readonly string[]> {
  const life: string[] = []
  for (const event of EVENTS) {
    socket.on(event, (...args: unknown[]) =>
      life.push(
        [
          event,
          ...args.map((arg) =>
            arg instanceof Error
              ? `${String(Reflect.get(arg, 'code'))} ${arg.message}`
              : Buffer.isBuffer(arg)
                ? arg.toString()
                : String(arg),
          ),
        ]
          .join(' ')
          .replace(/:\d+/g, ':port')
          .replace(/,?\b\d{4,5}\b/g, 'port'),
      ),
    )
  }
  await new Promise((resolve) => socket.on('close', resolve))
  return life
}

/** Lies between a client and its server for the running test, and ends the connections that a client has through it. */
export async function between(
  port: number,
): Promise<{ readonly port: number; readonly cut: (how: 'end' | 'reset') => void }> {
  const { accepted, ...server } = await listen((client) => {
    const upstream = net.connect(port, '127.0.0.1').on('error', () => undefined)
    client.pipe(upstream).pipe(client)
    client.on('close', () => upstream.destroy())
  })
  return {
    port: server.port,
    cut(how) {
      for (const client of accepted) {
        if (how === 'reset') client.resetAndDestroy()
        // In order: a socket that is destroyed with something unread resets.
        else client.end()
      }
    },
  }
}
