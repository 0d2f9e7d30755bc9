import type { Socket } from 'node:net'
import { resetSocket } from '../sockets/reset-socket.js'

/** The socket of TCP beneath each socket of TLS. */
const carriers = new WeakMap<Socket, Socket>()

/** Remembers which socket of TCP carries a socket of TLS. */
export function carriedBy(secure: Socket, carrier: Socket): void {
  carriers.set(secure, carrier)
}

/** Calls back when the connection of a socket is closed. Of a socket of TLS, Node.js 18 does not tell it after a reset. */
export function onceClosed(socket: Socket, tell: () => void): void {
  const carrier = carriers.get(socket) ?? socket
  carrier.once('close', tell)
}

/** Resets the connection of a socket. Only TCP has a reset. */
export function resetConnection(socket: Socket): void {
  resetSocket(carriers.get(socket) ?? socket, socket)
}

/** Whether the peer of a socket has reset the connection. */
export function hasReset(socket: Socket | null): boolean {
  return errorsOf(socket).some(({ code }) => code === 'ECONNRESET')
}

/** Whether the connection of a socket has failed, instead of ending in order. */
export function hasFailed(socket: Socket | null): boolean {
  return errorsOf(socket).length > 0
}

/** A socket of TLS may tell of an error before it has it. */
function errorsOf(socket: Socket | null): readonly NodeJS.ErrnoException[] {
  const sockets = socket === null ? [] : [socket, carriers.get(socket)]
  return sockets.flatMap((one) => one?.errored ?? [])
}
