import { builtin, exempt } from '@chaos/core/authoring'
import type { Clock } from '@chaos/core'
import importedHttp from 'node:http'
import importedNet, { type Socket } from 'node:net'
import { dial } from '../connections/dial.js'
import { onceClosed } from './carrier.js'
import type { Address } from '../sockets/address.js'
import type { Secure } from './upstream-tls.js'

const http = builtin('node:http', importedHttp)
const net = builtin('node:net', importedNet)

/** What an agent needs to connect. */
export interface Dialling {
  readonly upstream: Address
  /** Speaks TLS to the upstream. */
  readonly secure: Secure | undefined
  readonly connectTimeoutMs: number
  readonly clock: Clock
}

/**
 * Connects the requests of one connection of a client, one at a time and mostly by one connection. It keeps that connection
 * until the upstream or the client closes its own.
 */
export class UpstreamAgent extends http.Agent {
  readonly #dialling: Dialling
  readonly #onGone: () => void
  readonly #tunnels = new WeakSet<Socket>()
  #open = 0
  #hasOpened = false

  /** @param onGone Called when the last connection to the upstream is closed. */
  constructor(dialling: Dialling, onGone: () => void) {
    super({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 })
    this.#dialling = dialling
    this.#onGone = onGone
    exempt(this)
  }

  /** Whether the connection to the upstream is closed. */
  get isGone(): boolean {
    return this.#hasOpened && this.#open === 0
  }

  /** Leaves the ends of a connection to whoever uses it, since it carries another protocol now. */
  letHalfOpen(socket: Socket): void {
    this.#tunnels.add(socket)
  }

  override createConnection(): Socket {
    const { upstream, secure, connectTimeoutMs, clock } = this.#dialling
    const connection = exempt(new net.Socket({ allowHalfOpen: true }))
    connection.setNoDelay(true)
    const socket = secure === undefined ? connection : secure(connection)
    const cancel = clock.after(connectTimeoutMs, () => socket.destroy())
    socket.once(secure === undefined ? 'connect' : 'secureConnect', cancel)
    onceClosed(socket, () => {
      cancel()
      this.#open -= 1
      if (this.isGone) this.#onGone()
    })
    this.#open += 1
    this.#hasOpened = true
    socket.on('end', () => {
      if (!this.#tunnels.has(socket)) socket.end()
    })
    dial(connection, upstream)
    return socket
  }

  /** Node.js would close an idle connection a second before the time that the upstream announces. */
  override keepSocketAlive(): boolean {
    return true
  }
}
