import type { Socket } from 'node:net'
import type { Address } from '../sockets/address.js'
import { lookup } from '../sockets/lookup.js'

/**
 * Connects a socket. A host name is tried at its addresses of IPv4 first: servers on `localhost` mostly listen there, while
 * the system may name `::1` first. Where one address does not answer, the next one is tried, if this Node.js can: 18.13 and later.
 */
export function dial(socket: Socket, { host, port }: Address): void {
  socket.connect({ host, port, lookup, autoSelectFamily: true })
}
