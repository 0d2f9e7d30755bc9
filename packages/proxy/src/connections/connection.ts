import type { Socket } from 'node:net'
import type { ByteAccount } from '../links/byte-account.js'
import { Link } from '../links/link.js'
import type { Stream } from '../links/stage.js'
import type { LinkedItem } from '../queue/linked-list.js'
import { formatAddress, plainAddress, type Address } from '../sockets/address.js'
import { Outlet, type Ending } from '../sockets/outlet.js'
import { Wire, type WireEvents } from '../sockets/wire.js'
import type { ConnectionInfo, Encounter } from '../toxics/encounter.js'
import type { Hit } from '../toxics/hits.js'
import type { Toxic } from '../toxics/toxic.js'
import { MetToxics } from './met-toxics.js'
import { Opening, type Opened, type OpeningSettings } from './opening.js'

/** `opening`: the upstream is not connected yet. `closing`: the last bytes are on their way. */
export type ConnectionStatus = 'opening' | 'open' | 'closing'

/** A connection as data. */
export interface ConnectionState {
  /** The number of the connection at its proxy: 1, 2, 3 … */
  readonly ordinal: number
  /** The client's address and port. `:0` if it had left when somebody first asked, and no fault had met it. */
  readonly client: string
  /** The server that the client asks for in TLS (SNI), if it does and the proxy reads it. */
  readonly serverName: string | undefined
  readonly status: ConnectionStatus
  /** When it was accepted, in ms since the epoch. */
  readonly openedAt: number
  /** Bytes from the client to the server. */
  readonly upstream: ByteAccount
  /** Bytes from the server to the client. */
  readonly downstream: ByteAccount
  /**
   * The faults that have affected it: the last 100 that have ended, in the order in which they ended, and then those in
   * force, in the order in which they came. One that no longer covers it, since it was reconsidered, is not listed.
   */
  readonly hits: readonly Hit[]
}

/** What all connections of a proxy need of it. */
export interface ConnectionSettings extends OpeningSettings {
  readonly maxHeldBytes: number
  /** Uses no undocumented part of Node.js. */
  readonly isPublicOnly: boolean
  /** Called once, when both sockets are closed. */
  readonly onClosed: (connection: Connection) => void
}

/** A client, its upstream, and the two links between them. */
export class Connection implements Opened, LinkedItem<Connection> {
  previous: Connection | undefined
  next: Connection | undefined
  readonly client: Wire
  readonly upstream: Wire
  readonly #ordinal: number
  readonly #settings: ConnectionSettings
  readonly #openedAt: number
  readonly #outlets: Readonly<Record<Stream, Outlet>>
  readonly #links: Readonly<Record<Stream, Link>>
  readonly #toxics = new MetToxics()
  readonly #opening: Opening
  #info: ConnectionInfo | undefined
  #status: ConnectionStatus = 'opening'
  #openSockets = 2

  /** @param ordinal The number of the connection at its proxy: 1, 2, 3 … */
  constructor(accepted: Socket, ordinal: number, settings: ConnectionSettings) {
    const { maxHeldBytes, clock, isPublicOnly, tls } = settings
    this.#ordinal = ordinal
    this.#settings = settings
    this.#openedAt = clock.now()
    this.#opening = new Opening(this, settings)
    const events = this.#opening.watch(this.#events('upstream'))
    this.client = Wire.accepted(accepted, events, isPublicOnly || tls?.termination !== undefined)
    this.upstream = Wire.open(this.#events('downstream'), tls?.origination !== undefined)
    this.#outlets = { upstream: this.#outlet('upstream'), downstream: this.#outlet('downstream') }
    this.#links = {
      upstream: new Link(this.client, this.#outlets.upstream, maxHeldBytes),
      downstream: new Link(this.upstream, this.#outlets.downstream, maxHeldBytes),
    }
  }

  /** What faults know of it. */
  get info(): ConnectionInfo {
    return (this.#info ??= this.#readInfo())
  }

  get state(): ConnectionState {
    const { ordinal, clientAddress, clientPort, serverName } = this.info
    return {
      ordinal,
      client: formatAddress({ host: clientAddress, port: clientPort }),
      serverName,
      status: this.#status,
      openedAt: this.#openedAt,
      upstream: this.#links.upstream.account,
      downstream: this.#links.downstream.account,
      hits: this.#toxics.hits,
    }
  }

  /** Whether it is open, or over. */
  get isSettled(): boolean {
    return this.#status !== 'opening'
  }

  /** What became of the bytes of one stream. */
  accountOf(stream: Stream): ByteAccount {
    return this.#links[stream].account
  }

  /** Whether a toxic has affected it. */
  isHitBy(toxic: Toxic): boolean {
    return this.#toxics.isHitBy(toxic)
  }

  /** Whether a toxic was chosen for it. */
  hasMet(toxic: Toxic): boolean {
    return this.#toxics.has(toxic)
  }

  /** Has a toxic decide whether it is for this connection, and puts its stages in force. Not before its hello is read. */
  meet(toxic: Toxic): void {
    if (!this.#isOver && !this.#opening.isGreeting) this.#toxics.meet(toxic, this.info, this.#links)
  }

  /** Takes the stages of a toxic out that has ended, and remembers whether it has affected the connection. */
  end(toxic: Toxic): void {
    this.#toxics.end(toxic)
  }

  /** Takes the stages of a toxic out. */
  leave(toxic: Toxic): void {
    this.#toxics.leave(toxic)
  }

  /** Has the stages of a toxic follow its new options. */
  edit(toxic: Toxic): void {
    this.#toxics.edit(toxic)
  }

  /** Reads what the client says when it begins TLS, if the proxy wants to know, and goes on. */
  greet(done: () => void): void {
    this.#opening.greet((hello) => {
      if (hello !== undefined) this.#info = Object.freeze({ ...this.info, ...hello })
      done()
    })
  }

  /** Passes the toxics that act at the opening, one after the other, and then dials the upstream. */
  open(upstream: Address): void {
    // A socket that nobody reads does not tell that its peer has reset the connection.
    this.client.resume()
    const gates = this.#toxics.atOpening
    let passed = 0
    const next = (): void => {
      if (this.#isOver) return
      const gate = gates[passed]
      passed += 1
      if (gate === undefined) this.#opening.dial(upstream, () => this.#start())
      else this.#pass(gate.fault, gate.encounter, next)
    }
    next()
  }

  /** Closes both sides at once. What is held is dropped. */
  destroy(): void {
    this.#finish()
    this.client.transport.destroy()
    this.upstream.transport.destroy()
  }

  /** Nobody answers at the upstream, or the client is gone. The client gets an end, or a reset if it has sent bytes. */
  giveUp(): void {
    if (this.#links.upstream.heldBytes > 0) this.client.reset()
    this.destroy()
  }

  get #isOver(): boolean {
    return this.#status === 'closing'
  }

  /**
   * Asks the system for the client's address when somebody wants to know, which nobody does of most connections while no
   * fault is in force. While bytes of a client wait without a fault, its end is not read, so it has not left.
   */
  #readInfo(): ConnectionInfo {
    const { remoteAddress = '', remotePort = 0 } = this.client.transport
    return Object.freeze({
      ordinal: this.#ordinal,
      clientAddress: plainAddress(remoteAddress),
      clientPort: remotePort,
    })
  }

  #pass(toxic: Toxic, encounter: Encounter, proceed: () => void): void {
    const refuse = (how: 'close' | 'reset'): void => {
      if (this.#isOver) return
      if (how === 'reset') this.#reset()
      else this.destroy()
    }
    toxic.open(encounter, { connection: this.info, isClosed: () => this.#isOver, proceed, refuse })
  }

  #start(): void {
    this.#status = 'open'
    this.#outlets.upstream.socket = this.upstream.socket
    this.#outlets.downstream.socket = this.client.socket
    this.#links.upstream.start()
    this.#links.downstream.start()
  }

  #events(stream: Stream): WireEvents {
    return {
      onBytes: (bytes, keep) => this.#links[stream].read(bytes, keep),
      onEnd: () => this.#links[stream].end('end'),
      onFailure: () => {
        if (this.#status === 'opening') this.giveUp()
        else this.#links[stream].end('reset')
      },
      onClose: () => this.#socketClosed(),
    }
  }

  #outlet(stream: Stream): Outlet {
    const wire = stream === 'upstream' ? this.upstream : this.client
    const finish = (ending: Ending): void => {
      if (ending === 'end') wire.socket.end()
      else if (ending === 'close') this.#close()
      else this.#reset()
    }
    return new Outlet(wire.socket, () => this.#links[stream].settle(), finish, true)
  }

  /** Ends both sides in order. */
  #close(): void {
    if (this.#isOver) return
    if (this.#status === 'opening') {
      this.destroy()
      return
    }
    this.#finish()
    for (const { socket } of [this.client, this.upstream]) socket.destroySoon()
  }

  #reset(): void {
    this.#finish()
    this.client.reset()
    this.upstream.reset()
  }

  #finish(): void {
    this.#status = 'closing'
    this.#opening.cancel()
    this.#links.upstream.close()
    this.#links.downstream.close()
  }

  #socketClosed(): void {
    this.#openSockets -= 1
    if (this.#openSockets > 0) {
      // Without both of its ends, a connection that is not open has no purpose.
      if (this.#status === 'opening') this.giveUp()
      return
    }
    this.#finish()
    this.#outlets.upstream.abandon()
    this.#outlets.downstream.abandon()
    this.client.release()
    this.upstream.release()
    this.#toxics.close()
    this.#settings.onClosed(this)
  }
}
