import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Cancel, Clock } from '@chaos/core'

/** Connections to one socket at a time. */
const MAX_CONNECTIONS = 128
/** How long a connection may be open without a request, in ms. */
const IDLE_MS = 10_000

/** The connections of a server. */
export interface Connections {
  destroyAll(): void
}

/**
 * Keeps idle connections from blocking others: one without a request is closed after 10 s, and where there are 128 the one that has been
 * idle longest makes room; where none is idle, the one whose request has been under way longest. Event streams are left alone. So a client that
 * wants to stop injections always gets a connection.
 */
export function boundConnections(server: Server, clock: Clock): Connections {
  const all = new Set<Socket>()
  /** Longest idle first. */
  const idle = new Map<Socket, Cancel>()
  /** Longest under way first. */
  const busy = new Set<Socket>()

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
    // A client that is connected keeps this process no more alive than the listener does.
    socket.unref()
    all.add(socket)
    socket.once('close', () => {
      all.delete(socket)
      busy.delete(socket)
      wake(socket)
    })
    const [oldest] = idle.size > 0 ? idle.keys() : busy
    rest(socket)
    if (all.size <= MAX_CONNECTIONS) return
    const leaving = oldest ?? socket
    all.delete(leaving)
    leaving.destroy()
  })
  server.on('request', ({ socket }, res) => {
    wake(socket)
    busy.add(socket)
    res.once('close', () => rest(socket))
  })
  server.on('upgrade', ({ socket }) => wake(socket))

  return {
    destroyAll() {
      for (const socket of all) socket.destroy()
    },
  }
}
