import type { Socket } from 'node:dgram'
import { formatAddress, plainAddress, type Address } from '../../sockets/address.js'
import { ipOf } from '../../sockets/lookup.js'
import { listenError } from '../../listen/listener.js'
import type { Datagram } from '../datagrams/route.js'
import { DatagramOutlet } from './datagram-outlet.js'
import { closed, udpSocket, type IpAddress } from './udp-socket.js'

/** A socket that clients send to. */
export interface UdpListener {
  /** Where it listens, with the port that the system chose. */
  readonly address: Address
  readonly send: (datagram: Datagram, to: IpAddress) => void
  readonly close: () => Promise<void>
}

/**
 * Listens for datagrams.
 *
 * @throws ChaosError `CHAOS_LISTEN_FAILED` if the address is taken or does not exist.
 */
export async function listenUdp(
  { host, port }: Address,
  onDatagram: (payload: Buffer, from: IpAddress) => void,
): Promise<UdpListener> {
  let socket: Socket
  try {
    socket = await bound(await ipOf(host), port, onDatagram)
  } catch (error) {
    throw listenError(formatAddress({ host, port }), error as Error)
  }
  socket.removeAllListeners('error').on('error', () => {
    // The system could not read a datagram. The next one may come.
  })
  const outlet = new DatagramOutlet(() => undefined)
  const at = socket.address()
  return {
    address: { host: plainAddress(at.address), port: at.port },
    send: (datagram, { address, port: to }) =>
      outlet.send(datagram, (payload, done) => socket.send(payload, to, address, done)),
    async close() {
      await closed(socket)
      outlet.close()
    },
  }
}

/** A socket that listens. */
async function bound(
  address: string,
  port: number,
  onDatagram: (payload: Buffer, from: IpAddress) => void,
): Promise<Socket> {
  const socket = udpSocket(address)
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      // Before it listens: a datagram may be there at once.
      socket.on('message', onDatagram)
      socket.bind({ address, port, exclusive: true }, resolve)
    })
  } catch (error) {
    await closed(socket)
    throw error
  }
  return socket
}
