import { markInjected, option } from '@chaos/core/authoring'
import type { Duplex } from 'node:stream'
import { networkErrors } from '../errors/network.js'

/**
 * How a connection ends: `reset`, as when the peer has crashed, or `end`, an orderly close, as when the peer is
 * stopped.
 */
export const connectionEnd = option.optional(
  option.oneOf(
    ['reset', 'end'],
    'reset: the peer resets the connection (ECONNRESET); end: the peer closes it in order.',
  ),
  'reset',
)

/** A way in which a connection ends. */
export type ConnectionEnd = 'reset' | 'end'

/** Ends a connection as its peer would, through the code that Node.js runs when it reads such an end. */
export function endConnection(socket: Duplex, how: ConnectionEnd, fault: string): void {
  if (socket.destroyed) return
  if (how === 'reset') socket.destroy(markInjected(networkErrors['net/econnreset'](), fault))
  // Reads the end at once, so that even a paused socket notices it.
  else if (!socket.readableEnded) {
    socket.push(null)
    socket.read(0)
  }
}
