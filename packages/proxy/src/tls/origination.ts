import { builtin, exempt } from '@chaos/core/authoring'
import importedNet, { type Socket } from 'node:net'
import importedTls, { type SecureContext, type TLSSocket } from 'node:tls'
import type { ClientHello } from './client-hello.js'
import type { HandshakeEvents } from './termination.js'
import { secureContext } from './secure-context.js'
import { alpnOf, caOf, type UpstreamTls } from './tls-options.js'

const net = builtin('node:net', importedNet)
const tls = builtin('node:tls', importedTls)

/** Speaks TLS to the server. */
export class Origination {
  readonly #options: UpstreamTls
  readonly #events: HandshakeEvents
  readonly #context: SecureContext

  /** @param events Told of each handshake that fails. */
  constructor(options: UpstreamTls, events: HandshakeEvents) {
    const { ca, cert, key } = options
    this.#options = options
    this.#events = events
    this.#context = secureContext({ ...caOf(ca), ...(cert === undefined ? {} : { cert, key }) }, 'upstreamTls')
  }

  /**
   * Does the handshake with the server. If it fails, the connection is closed.
   *
   * @param connection Connected, and not reading.
   * @param host The host that was dialled.
   * @param hello What the client asks for, if it speaks TLS to the proxy.
   * @param done Not called if the handshake fails.
   */
  connect(connection: Socket, host: string, hello: ClientHello | undefined, done: (socket: TLSSocket) => void): void {
    const { serverName, rejectUnauthorized, alpnProtocols = [] } = this.#options
    const name = serverName ?? hello?.serverName ?? host
    const socket = tls.connect({
      socket: connection,
      secureContext: this.#context,
      rejectUnauthorized,
      // An address is checked, but it is no name to ask for.
      host: name,
      ...(net.isIP(name) === 0 ? { servername: name } : {}),
      ...alpnOf(hello?.alpnProtocols ?? alpnProtocols),
    })
    let isDone = false
    connection.once('close', () => {
      if (!isDone) this.#events.onFailure()
    })
    socket.on('error', (error: Error) => {
      if (isDone) return
      this.#events.onReason(error.message)
      connection.destroy()
    })
    socket.once('secureConnect', () => {
      isDone = true
      done(exempt(socket))
    })
  }
}
