import type { Duplex } from 'node:stream'
import { markInjected, systemError } from '@chaos/core/authoring'

/** The fault that marks these errors as injected. */
export const DISCONNECT_CLIENT = 'eventbus/disconnect-client'

/** The configured address of a connection. */
interface Peer {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** How to cut an open connection: as a reset by the peer. Empty if the connection is not open. */
export function standingSocket(socket: Duplex | undefined): (() => void)[] {
  return socket === undefined || socket.destroyed
    ? []
    : [() => void socket.destroy(injected(systemError('ECONNRESET', 'read')))]
}

/** Makes a new connection fail with `ECONNREFUSED` on the next tick, when the client has added its listeners. */
export function refused<Socket extends Duplex>(socket: Socket, peer: Peer): Socket {
  process.nextTick(() => socket.destroy(refusal(peer)))
  return socket
}

/** The error of a connection to a closed port. */
export function refusal({ host: address, port }: Peer): Error {
  return port === undefined
    ? injected(systemError('ECONNREFUSED', 'connect'))
    : injected(
        systemError('ECONNREFUSED', 'connect', `connect ECONNREFUSED ${address ?? 'localhost'}:${port}`, {
          address,
          port,
        }),
      )
}

const injected = (error: Error): Error => markInjected(error, DISCONNECT_CLIENT)
