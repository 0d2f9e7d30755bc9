import type { Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Cancel, Clock } from '@chaos/core'

/** The most concurrent connections to one socket. */
const MAX_CONNECTIONS = 128
/** How long a connection may be open without a request, in ms. */
const IDLE_MS = 10_000

/** The connections of a server. */
export interface Connections {
  destroyAll(): void
}

/**
 * Keeps a connection available for clients that want to stop injections. A connection without a request is closed after
 * 10 s. When 128 connections are open, a new one replaces the longest idle connection or, if none is idle, the one
 * whose request has run longest. Event streams are left alone.
 */
export function boundConnections(server: Server, clock: Clock): Connections {
  const all = new Set<Socket>()
  /** Idle connections, longest idle first. */
  const idle = new Map<Socket, Cancel>()
  /** Connections with a request and its answer, longest running first. */
  const busy = new Map<Socket, ServerResponse>()

  const rest = (socket: Socket): void => {
    if (socket.destroyed) return
    wake(socket)
    busy.delete(socket)
    idle.set(
      socket,
      clock.after(IDLE_MS, () => socket.destroy(), { ref: false }),
    )
  }
  const wake = (socket: Socket): void => {
    idle.get(socket)?.()
    idle.delete(socket)
  }

  server.on('connection', (socket: Socket) => {
    // Like the listener, a connection must not keep this process alive.
    socket.unref()
    all.add(socket)
    socket.once('close', () => {
      all.delete(socket)
      busy.delete(socket)
      wake(socket)
    })
    const [oldest] = idle.size > 0 ? idle.keys() : withoutStreams(busy)
    rest(socket)
    if (all.size <= MAX_CONNECTIONS) return
    const leaving = oldest ?? socket
    all.delete(leaving)
    leaving.destroy()
  })
  server.on('request', ({ socket }, res: ServerResponse) => {
    wake(socket)
    busy.set(socket, res)
    res.once('close', () => rest(socket))
  })
  server.on('upgrade', ({ socket }) => wake(socket))

  return {
    destroyAll() {
      for (const socket of all) socket.destroy()
    },
  }
}

/** The connections whose answer is no stream of server-sent events. */
function* withoutStreams(busy: ReadonlyMap<Socket, ServerResponse>): Generator<Socket> {
  for (const [socket, res] of busy)
    if (!String(res.getHeader('content-type')).startsWith('text/event-stream')) yield socket
}
