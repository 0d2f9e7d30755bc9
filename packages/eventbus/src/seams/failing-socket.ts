import type { Duplex } from 'node:stream'
import { markInjected, systemError } from '@chaos/core/authoring'

/** Whose errors these are. */
export const DISCONNECT_CLIENT = 'eventbus/disconnect-client'

/** Where a connection leads to, as far as its client says so. */
interface Peer {
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** A connection that stands, to be cut as one is that its peer resets. */
export function standingSocket(socket: Duplex | undefined): (() => void)[] {
  return socket === undefined || socket.destroyed
    ? []
    : [() => void socket.destroy(injected(systemError('ECONNRESET', 'read')))]
}

/** A connection that is being made, and fails as where nothing listens: once its client listens for that. */
export function refused<Socket extends Duplex>(socket: Socket, peer: Peer): Socket {
  process.nextTick(() => socket.destroy(refusal(peer)))
  return socket
}

/** The error of an attempt to connect where nothing listens. */
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
