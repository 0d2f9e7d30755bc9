import { markInjected, option } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import { networkErrors } from '../errors/network.js'

/** How a connection ends: `reset`, the peer is gone and says so; `end`, it closes in order, as a process does that is told to stop. */
export const connectionEnd = option.optional(
  option.oneOf(
    ['reset', 'end'],
    'reset: the peer resets the connection (ECONNRESET); end: it closes it in order. Default: reset.',
  ),
  'reset',
)

/** One of these ends. */
export type ConnectionEnd = 'reset' | 'end'

/** Ends a connection as its peer would, on the path that Node.js itself takes when it reads as much. */
export function endConnection(socket: Socket, how: ConnectionEnd, fault: string): void {
  if (socket.destroyed) return
  if (how === 'reset') socket.destroy(markInjected(networkErrors['net/econnreset'](), fault))
  // What follows an end is read at once, so that it is seen even where nothing was being read.
  else if (!socket.readableEnded) {
    socket.push(null)
    socket.read(0)
  }
}
