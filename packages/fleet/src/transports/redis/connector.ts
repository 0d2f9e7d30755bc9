import { exempt, messageOf } from '@chaos/core/authoring'
import dns from 'node:dns'
import net from 'node:net'
import tls from 'node:tls'
import type { RedisOptions } from 'ioredis'
import type { RedisAddress } from './options.js'

/** What ioredis asks of the class that makes its sockets. */
interface Connector {
  connect(): Promise<net.Socket>
  disconnect(): void
  check(): boolean
}

/**
 * Returns the class of which a client makes its sockets: exempt from all faults, also from those of lookups and handshakes.
 *
 * @param ref Whether the sockets keep the process alive.
 * @param mayTake Is told of each chunk of bytes. The socket is closed when it returns `false`.
 */
export function exemptConnector(
  address: RedisAddress,
  ref: boolean,
  mayTake: (sizeBytes: number) => boolean,
): NonNullable<RedisOptions['Connector']> {
  const made = class ExemptConnector implements Connector {
    #socket: net.Socket | undefined

    connect(): Promise<net.Socket> {
      const socket = exempt(new net.Socket())
      this.#socket = socket
      socket.connect(placeOf(address))
      if (address.tls !== undefined) this.#socket = exempt(tls.connect(secured(socket, address)))
      // What a socket beneath TLS fails with, the one above it tells.
      if (this.#socket !== socket) socket.on('error', () => undefined)
      if (!ref) socket.unref()
      const used = this.#socket
      guard(used, mayTake)
      return Promise.resolve(used)
    }

    /** Closes at once: what waits for an answer is lost either way. */
    disconnect(): void {
      this.#socket?.destroy()
    }

    check(): boolean {
      return true
    }
  }
  // The type of ioredis asks for the private parts of its own base class, which nothing uses.
  return made as unknown as NonNullable<RedisOptions['Connector']>
}

/**
 * Closes a socket that receives more than it may, or what its reader cannot make sense of: ioredis throws at some replies, where
 * nobody but the process could catch it.
 */
function guard(socket: net.Socket, mayTake: (sizeBytes: number) => boolean): void {
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...args: unknown[]) => boolean
  socket.emit = (event: string | symbol, ...args: unknown[]) => {
    if (event !== 'data') return emit(event, ...args)
    try {
      if (!mayTake((args[0] as Buffer).length)) throw new Error('It sent more than any answer holds')
      return emit(event, ...args)
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(messageOf(error)))
      return true
    }
  }
}

function placeOf({ host, port, path }: RedisAddress): net.SocketConnectOpts {
  if (path !== undefined) return { path }
  return { host, port, lookup: lookUp }
}

type Lookup = NonNullable<net.TcpSocketConnectOpts['lookup']>

/** Who waits for the lookups under way, by name and options. */
const lookups = new Map<string, Parameters<Lookup>[2][]>()

/**
 * Looks a name up, with all who ask for it meanwhile. A lookup occupies one of the four threads that Node.js also reads files
 * with, for as long as a name server does not answer. Attempts to connect must not take them all.
 */
function lookUp(...[name, options, done]: Parameters<Lookup>): void {
  const key = JSON.stringify([name, options])
  const others = lookups.get(key)
  if (others !== undefined) {
    others.push(done)
    return
  }
  const waiting = [done]
  lookups.set(key, waiting)
  const answered: typeof done = (...answer) => {
    lookups.delete(key)
    for (const one of waiting) one(...answer)
  }
  dns.lookup(name, options, exempt(answered))
}

function secured(socket: net.Socket, { host, tls: options }: RedisAddress): tls.ConnectionOptions {
  return { ...(net.isIP(host) === 0 && { servername: host }), ...options, socket, host }
}
