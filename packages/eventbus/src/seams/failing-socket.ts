import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import { markInjected } from '@chaos/core/authoring'

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
    : [() => void socket.destroy(systemError('ECONNRESET', 'read', 'read ECONNRESET'))]
}

/** A connection that is being made, and fails as where nothing listens: once its client listens for that. */
export function refused<Socket extends Duplex>(socket: Socket, peer: Peer): Socket {
  process.nextTick(() => socket.destroy(refusal(peer)))
  return socket
}

/** The error of an attempt to connect where nothing listens. */
export function refusal({ host: address, port }: Peer): Error {
  return port === undefined
    ? systemError('ECONNREFUSED', 'connect', 'connect ECONNREFUSED')
    : systemError('ECONNREFUSED', 'connect', `connect ECONNREFUSED ${address ?? 'localhost'}:${port}`, {
        address,
        port,
      })
}

/** An error of the kernel as Node.js makes it. */
function systemError(
  code: 'ECONNREFUSED' | 'ECONNRESET',
  syscall: string,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): Error {
  return markInjected(
    Object.assign(new Error(message), { errno: -constants.errno[code], code, syscall, ...details }),
    DISCONNECT_CLIENT,
  )
}
