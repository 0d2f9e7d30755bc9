import { builtin } from '@chaos/core/authoring'
import importedDgram, { type Socket, type SocketType } from 'node:dgram'
import { isIPv6 } from 'node:net'

const dgram = builtin('node:dgram', importedDgram)

/** An address that the system has: no name. */
export interface IpAddress {
  readonly address: string
  readonly port: number
}

/** Makes a socket for addresses of one family. It looks nothing up: an address is known when a socket is made. */
export function udpSocket(address: string): Socket {
  const type: SocketType = isIPv6(address) ? 'udp6' : 'udp4'
  return dgram.createSocket({ type, lookup: (host, _options, found) => found(null, host, isIPv6(host) ? 6 : 4) })
}

/** Closes a socket, if it is open. Resolves when the callbacks of everything sent have run. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
    try {
      socket.close()
    } catch {
      // It is closed.
      resolve()
    }
  })
}
