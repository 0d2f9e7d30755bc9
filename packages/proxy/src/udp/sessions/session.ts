import type { Clock } from '@chaos/core'
import type { Socket } from 'node:dgram'
import type { Stream } from '../../links/stage.js'
import { formatAddress, plainAddress } from '../../sockets/address.js'
import { PastHits, type Hit } from '../../toxics/hits.js'
import type { DatagramAccount, DatagramCounters, DropCounters } from '../datagrams/account.js'
import type { Room } from '../datagrams/room.js'
import { Route, type Datagram, type SessionInfo } from '../datagrams/route.js'
import { DatagramOutlet, type SendPayload } from './datagram-outlet.js'
import { closed, udpSocket, type IpAddress } from './udp-socket.js'

/** `opening`: the address of the server is being looked up. */
export type SessionStatus = 'opening' | 'open'

/** A session as data. */
export interface SessionState {
  /** The number of the session at its proxy: 1, 2, 3 … */
  readonly ordinal: number
  /** The client's address and port. */
  readonly client: string
  readonly status: SessionStatus
  /** When its first datagram came, in ms since the epoch. */
  readonly openedAt: number
  /** When its last datagram came or went, in ms since the epoch. */
  readonly lastAt: number
  /** Datagrams from the client to the server. */
  readonly upstream: DatagramAccount
  /** Datagrams from the server to the client. */
  readonly downstream: DatagramAccount
  /**
   * The faults that have affected its datagrams, and how many: the last 100 that have ended, in the order in which they
   * ended, and then those in force, in the order in which they came.
   */
  readonly hits: readonly DatagramHit[]
}

/** A fault that has affected datagrams of a session. */
export interface DatagramHit extends Hit {
  /** How many it has affected. */
  readonly datagrams: number
}

/** What a session needs of its proxy. */
export interface SessionSettings {
  readonly ordinal: number
  readonly client: IpAddress
  readonly clock: Clock
  readonly accounts: Readonly<Record<Stream, DatagramCounters>>
  readonly drops: DropCounters
  /** The room for datagrams that wait for the session to open. */
  readonly room: Room
  /** Sends a datagram to the client. */
  readonly sendToClient: (datagram: Datagram) => void
  /** The server has sent a datagram. */
  readonly onDatagram: (route: Route, payload: Buffer) => void
  /** The server, or a machine before it, has refused a datagram. */
  readonly onRefused: () => void
  /** The session has no socket to the server. */
  readonly onFailed: () => void
}

/** A client of a UDP proxy, and its own socket to the server. */
export class Session {
  readonly info: SessionInfo
  readonly upstream: Route
  readonly downstream: Route
  readonly openedAt: number
  /** What faults that have ended did to its datagrams. */
  readonly pastHits = new PastHits<DatagramHit>()
  #lastAt: number
  readonly #settings: SessionSettings
  readonly #outlet: DatagramOutlet
  #socket: Socket | undefined
  #sendToServer: SendPayload | undefined
  #waiting: Datagram[] = []
  #isClosed = false

  constructor(settings: SessionSettings) {
    const { ordinal, client, clock, accounts, drops, sendToClient } = settings
    const { address, port } = client
    this.#settings = settings
    this.#outlet = new DatagramOutlet(settings.onRefused)
    this.info = Object.freeze({ ordinal, clientAddress: plainAddress(address), clientPort: port })
    const route = (stream: Stream, send: (datagram: Datagram) => void): Route =>
      new Route(this.info, stream, { account: accounts[stream], drops }, (datagram) => {
        this.touch()
        send(datagram)
      })
    this.upstream = route('upstream', (datagram) => this.#send(datagram))
    this.downstream = route('downstream', sendToClient)
    this.openedAt = clock.now()
    this.#lastAt = this.openedAt
  }

  get state(): Omit<SessionState, 'hits'> {
    const { ordinal, clientAddress, clientPort } = this.info
    return {
      ordinal,
      client: formatAddress({ host: clientAddress, port: clientPort }),
      status: this.#sendToServer === undefined ? 'opening' : 'open',
      openedAt: this.openedAt,
      lastAt: this.#lastAt,
      upstream: { ...this.upstream.account },
      downstream: { ...this.downstream.account },
    }
  }

  /** From when on it is idle. A session whose datagrams are under way is not. */
  get idleFrom(): number {
    const { upstream, downstream } = this
    const isBusy = upstream.account.datagramsHeld + downstream.account.datagramsHeld > 0
    return isBusy ? this.#settings.clock.now() : this.#lastAt
  }

  /** Whether a route is one of its two. */
  has(route: Route): boolean {
    return route === this.upstream || route === this.downstream
  }

  /** A datagram comes or goes. */
  touch(): void {
    this.#lastAt = this.#settings.clock.now()
  }

  /** Connects its socket to the server. */
  open({ address, port }: IpAddress): void {
    if (this.#isClosed) return
    const socket = udpSocket(address)
    this.#socket = socket
    socket.on('message', (payload) => {
      this.touch()
      this.#settings.onDatagram(this.downstream, payload)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') this.#settings.onRefused()
      else if (this.#sendToServer === undefined) this.#settings.onFailed()
    })
    socket.once('connect', () => {
      if (this.#isClosed) return
      this.#sendToServer = (payload, done) => socket.send(payload, done)
      for (const datagram of this.#noLongerWaiting()) this.#send(datagram)
    })
    socket.connect(port, address)
  }

  /** Closes its socket. What it has not sent is dropped. @param reason Why what waits for the socket is dropped. */
  async close(reason: 'closed' | 'unsent' = 'closed'): Promise<void> {
    this.#isClosed = true
    for (const { route } of this.#noLongerWaiting()) route.drop(reason)
    if (this.#socket !== undefined) await closed(this.#socket)
    this.#outlet.close()
  }

  #send(datagram: Datagram): void {
    if (this.#isClosed) datagram.route.drop('closed')
    else if (this.#sendToServer !== undefined) this.#outlet.send(datagram, this.#sendToServer)
    else if (this.#settings.room.take(datagram.payload.length)) this.#waiting.push(datagram)
    else datagram.route.drop('queueFull')
  }

  #noLongerWaiting(): readonly Datagram[] {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { payload } of waiting) this.#settings.room.giveBack(payload.length)
    return waiting
  }
}
