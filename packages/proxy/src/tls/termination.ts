import { builtin, exempt, MAX_TIMER_MS, messageOf } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import importedTls, { type Server, type TLSSocket } from 'node:tls'
import type { ClientHello } from './client-hello.js'
import type { Identity } from './authority.js'
import { secureContext } from './secure-context.js'
import { alpnOf, caOf, type ClientTls } from './tls-options.js'

const tls = builtin('node:tls', importedTls)

/** The most servers that are kept: one for each server name and protocol. */
const MAX_SERVERS = 100

/** What one side of TLS tells its proxy. */
export interface HandshakeEvents {
  /** A handshake was not completed. */
  readonly onFailure: () => void
  /** Why a handshake fails or has failed. */
  readonly onReason: (why: string) => void
}

/** Speaks TLS to clients. */
export class Termination {
  readonly #options: ClientTls
  readonly #events: HandshakeEvents
  /** By server name and protocol, the one that was used last at the end. None of them listens. */
  readonly #servers = new Map<string, Server>()
  /** Connections whose handshake is going on, by their addresses. */
  readonly #pending = new Map<string, (socket: TLSSocket) => void>()

  /** @param events Told of each handshake that fails. */
  constructor(options: ClientTls, events: HandshakeEvents) {
    this.#options = options
    this.#events = events
    // What is no certificate, or no key of it, is refused before anybody connects.
    secureContext({ ...this.#identity(undefined, 'localhost'), ...caOf(options.clientCa) }, 'tls')
  }

  /** The protocols to choose from with clients of a server that has no say. */
  get protocols(): readonly string[] {
    return this.#options.alpnProtocols ?? []
  }

  /**
   * Does the handshake with a client. If it fails, the connection is closed.
   *
   * @param connection Not reading. What it has received already is put back into it.
   * @param protocols Those to choose from (ALPN).
   * @param done Not called if the handshake fails.
   */
  accept(
    connection: Socket,
    hello: ClientHello,
    protocols: readonly string[],
    done: (socket: TLSSocket) => void,
  ): void {
    const key = keyOf(connection)
    this.#pending.set(key, done)
    connection.once('close', () => {
      if (this.#pending.delete(key)) this.#events.onFailure()
    })
    // A client that leaves during the handshake is gone. Once it is over, each direction has its own end.
    connection.allowHalfOpen = false
    try {
      this.#server(hello.serverName, connection.localAddress ?? 'localhost', protocols).emit('connection', connection)
    } catch (error) {
      // The authority may be of the user's own making.
      this.#events.onReason(messageOf(error))
      connection.destroy()
    }
  }

  #server(serverName: string | undefined, address: string, protocols: readonly string[]): Server {
    const key = [this.#options.authority === undefined ? '' : (serverName ?? address), ...protocols].join('\n')
    const server = this.#servers.get(key) ?? this.#makeServer(serverName, address, protocols)
    this.#servers.delete(key)
    this.#servers.set(key, server)
    for (const oldest of this.#servers.keys()) if (this.#servers.size > MAX_SERVERS) this.#servers.delete(oldest)
    return server
  }

  #makeServer(serverName: string | undefined, address: string, protocols: readonly string[]): Server {
    const { clientCa } = this.#options
    const server = tls.createServer({
      ...this.#identity(serverName, address),
      ...caOf(clientCa),
      requestCert: clientCa !== undefined,
      rejectUnauthorized: true,
      ...alpnOf(protocols),
      // The connection has a limit of its own.
      handshakeTimeout: MAX_TIMER_MS,
    })
    server.on('secureConnection', (socket) => {
      const key = keyOf(socket)
      const done = this.#pending.get(key)
      this.#pending.delete(key)
      socket.allowHalfOpen = true
      if (done === undefined) socket.destroy()
      else done(exempt(socket))
    })
    server.on('tlsClientError', (error, socket) => {
      // Of a client that is gone, Node.js knows no more than that.
      const { authorizationError }: { readonly authorizationError?: unknown } = socket
      if (typeof authorizationError === 'string') this.#events.onReason(authorizationError)
      else if (error.message !== 'socket hang up') this.#events.onReason(error.message)
    })
    return server
  }

  #identity(serverName: string | undefined, address: string): Partial<Identity> {
    const { authority, cert = '', key = '' } = this.#options
    return authority === undefined ? { cert, key } : authority.serverIdentity(serverName ?? [address, 'localhost'])
  }
}

const keyOf = ({ remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 }: Socket): string =>
  [remoteAddress, remotePort, localAddress, localPort].join(' ')
