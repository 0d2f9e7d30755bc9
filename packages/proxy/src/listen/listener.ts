import { ChaosError } from '@chaos/core'
import { builtin, messageOf } from '@chaos/core/authoring'
import importedNet, { type AddressInfo, type Server, type Socket } from 'node:net'
import { formatAddress, plainAddress, type Address } from '../sockets/address.js'

const net = builtin('node:net', importedNet)

/** A socket that listens. */
export interface Listener {
  /** Where it listens, with the port that the system chose. */
  readonly address: Address
  /** Stops listening. Connections that it has accepted go on. */
  readonly close: () => void
}

/**
 * Listens, and gives each accepted connection on, paused.
 *
 * @throws ChaosError `CHAOS_LISTEN_FAILED` if the address is taken or does not exist.
 */
export async function listen({ host, port }: Address, onConnection: (socket: Socket) => void): Promise<Listener> {
  return bind(net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, onConnection), { host, port })
}

/**
 * Has a server listen.
 *
 * @throws ChaosError `CHAOS_LISTEN_FAILED` if the address is taken or does not exist.
 */
export async function bind(server: Server, { host, port }: Address): Promise<Listener> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(formatAddress({ host, port }), error)))
    // A name such as `localhost` is looked up by the system; the first address counts.
    server.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port }, resolve)
  })
  server.removeAllListeners('error').on('error', () => {
    // The system could not accept a connection, for example for want of file descriptors. Its client is told by the system.
  })
  const bound = server.address() as AddressInfo
  return { address: { host: plainAddress(bound.address), port: bound.port }, close: () => void server.close() }
}

/** The error for an address that cannot be listened on. */
export function listenError(at: string, error: Error): ChaosError {
  return new ChaosError(
    'CHAOS_LISTEN_FAILED',
    `Cannot listen on ${at}: ${messageOf(error)}. Free the address, or pass another \`listen\`; port 0 takes a free port.`,
    { cause: error },
  )
}
