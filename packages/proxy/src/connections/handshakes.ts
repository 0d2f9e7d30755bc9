import type { Wire } from '../sockets/wire.js'
import type { ProxyTls } from '../tls/proxy-tls.js'
import { NO_HELLO, type ClientHello } from '../tls/client-hello.js'

/** The most bytes of a client that wait for its handshake. */
const MAX_RECEIVED = 65_536

const LATE = 'The handshake took too long.'

/** The handshakes of one connection. */
export class Handshakes {
  readonly #tls: ProxyTls
  /** What a client has sent to whom the proxy speaks TLS, before its handshake begins. */
  readonly #received: Buffer[] = []
  #receivedBytes = 0

  constructor(tls: ProxyTls) {
    this.#tls = tls
  }

  /** The client has left, or has not said what it wants, before its handshake began. */
  clientFailed(why: string): void {
    this.#tls.countFailure('client')
    this.#tls.noteReason('client', why)
  }

  /**
   * Keeps bytes of the client for its handshake.
   *
   * @returns Whether they are enough for now.
   */
  keep(bytes: Buffer): boolean {
    this.#received.push(Buffer.from(bytes))
    this.#receivedBytes += bytes.length
    return this.#receivedBytes >= MAX_RECEIVED
  }

  /**
   * Does the handshake with the server, whose choice of a protocol (ALPN) holds for the client, and then the one with the
   * client. If either fails, its connection is closed.
   *
   * @param host The host that was dialled.
   * @param begin Called before each of the two, with what to do if it takes too long. Returns whether it is still wanted.
   */
  run(
    { client, upstream }: { readonly client: Wire; readonly upstream: Wire },
    host: string,
    hello: ClientHello | undefined,
    begin: (onLate: () => void) => boolean,
    done: () => void,
  ): void {
    const { termination, origination } = this.#tls
    const withClient = (protocols: readonly string[]): void => {
      if (termination === undefined) {
        done()
        return
      }
      if (!begin(() => this.#tls.noteReason('client', LATE))) return
      const connection = client.surrender(Buffer.concat(this.#received.splice(0)))
      termination.accept(connection, hello ?? NO_HELLO, protocols, (socket) => {
        client.secure(socket)
        done()
      })
    }
    if (origination === undefined) {
      withClient(termination?.protocols ?? [])
      return
    }
    if (!begin(() => this.#tls.noteReason('upstream', LATE))) return
    origination.connect(upstream.transport, host, termination && hello, (socket) => {
      upstream.secure(socket)
      const { alpnProtocol } = socket
      withClient(typeof alpnProtocol === 'string' ? [alpnProtocol] : [])
    })
  }
}
