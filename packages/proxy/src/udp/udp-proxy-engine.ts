import type { Cancel, Clock } from '@chaos/core'
import { ListeningProxy } from '../listen/listening-proxy.js'
import { checkMove, type Move } from '../listen/move.js'
import { formatAddress, type Address } from '../sockets/address.js'
import { ipOf } from '../sockets/lookup.js'
import { noDatagrams, noDrops } from './datagrams/account.js'
import type { DatagramToxic } from './datagrams/datagram-toxic.js'
import { Room } from './datagrams/room.js'
import type { Datagram, Route } from './datagrams/route.js'
import { UDP_ENGINE, type UdpEngine } from './datagrams/target.js'
import { Session, type DatagramHit, type SessionState } from './sessions/session.js'
import { listenUdp, type UdpListener } from './sessions/udp-listener.js'
import type { IpAddress } from './sessions/udp-socket.js'
import type { UdpProxy, UdpProxyCounters } from './udp-proxy.js'

/** The checked settings of a UDP proxy. */
export interface UdpProxySettings {
  readonly name: string
  readonly listen: Address
  readonly upstream: Address
  readonly idleMs: number
  readonly maxSessions: number
  readonly maxHeldDatagrams: number
  readonly maxHeldBytes: number
  readonly clock: Clock
}

/** A UDP proxy: its listener, its sessions and the toxics in force. */
export class UdpProxyEngine extends ListeningProxy<UdpListener> implements UdpProxy {
  readonly #settings: UdpProxySettings
  readonly #room: Room
  readonly #sessions = new Map<string, Session>()
  readonly #drops = noDrops()
  readonly #accounts = { upstream: noDatagrams(), downstream: noDatagrams() }
  /** Replaced as a whole by each change. */
  #toxics: readonly DatagramToxic[] = []
  #upstream: Address
  #opened = 0
  #expired = 0
  #refused = 0
  #cancelExpiry: Cancel | undefined

  constructor(settings: UdpProxySettings) {
    super(settings.name, 'createUdpProxy', settings.listen)
    this.#settings = settings
    this.#room = new Room(settings.maxHeldDatagrams, settings.maxHeldBytes)
    this.#upstream = settings.upstream
  }

  get [UDP_ENGINE](): UdpEngine {
    return { add: (toxic) => this.#add(toxic), remove: (toxic) => this.#remove(toxic) }
  }

  get upstream(): string {
    return formatAddress(this.#upstream)
  }

  get counters(): UdpProxyCounters {
    return {
      opened: this.#opened,
      open: this.#sessions.size,
      expired: this.#expired,
      refused: this.#refused,
      upstream: { ...this.#accounts.upstream },
      downstream: { ...this.#accounts.downstream },
      dropped: { ...this.#drops },
    }
  }

  sessions(): readonly SessionState[] {
    return [...this.#sessions.values()].map((session) => ({
      ...session.state,
      hits: session.pastHits.with(this.#toxics.flatMap((toxic) => hitsOf(toxic, session))),
    }))
  }

  move(to: Move): Promise<void> {
    const { listen, upstream = this.#upstream } = checkMove(to)
    return this.relocate(listen, () => {
      const isOther = formatAddress(upstream) !== this.upstream
      this.#upstream = upstream
      return isOther
    })
  }

  protected override bind(address: Address): Promise<UdpListener> {
    return listenUdp(address, (payload, from) => this.#receive(payload, from))
  }

  protected override async closeTraffic(): Promise<void> {
    this.#cancelExpiry?.()
    this.#cancelExpiry = undefined
    const sessions = [...this.#sessions.values()]
    this.#sessions.clear()
    this.#dropHeld(() => true)
    await Promise.all(sessions.map((session) => session.close()))
  }

  #add(toxic: DatagramToxic): void {
    this.assertOpen()
    toxic.enter({ room: this.#room, next: (datagram) => this.#pass(datagram, this.#toxics.indexOf(toxic) + 1) })
    this.#toxics = [...this.#toxics, toxic]
  }

  /** What the toxic held has gone on to those behind it: the injection releases held work before it undoes its steps. */
  #remove(toxic: DatagramToxic): void {
    this.#toxics = this.#toxics.filter((other) => other !== toxic)
    for (const session of this.#sessions.values()) for (const hit of hitsOf(toxic, session)) session.pastHits.add(hit)
  }

  /** Gives a datagram to the toxics from the n-th on, then to the system. */
  #pass(datagram: Datagram, from: number): void {
    const toxic = this.#toxics[from]
    if (toxic === undefined) datagram.route.send(datagram)
    else toxic.take(datagram)
  }

  #receive(payload: Buffer, from: IpAddress): void {
    const session = this.#sessionOf(from)
    if (session === undefined) {
      const { upstream } = this.#accounts
      upstream.datagramsIn += 1
      upstream.datagramsDropped += 1
      this.#drops.turnedAway += 1
      return
    }
    session.touch()
    this.#pass(session.upstream.enter(payload), 0)
  }

  #sessionOf({ address, port }: IpAddress): Session | undefined {
    const key = `${port} ${address}`
    const known = this.#sessions.get(key)
    if (known !== undefined || this.#sessions.size >= this.#settings.maxSessions) return known
    this.#opened += 1
    const client = { address, port }
    const session = new Session({
      ordinal: this.#opened,
      client,
      clock: this.#settings.clock,
      room: this.#room,
      accounts: this.#accounts,
      drops: this.#drops,
      sendToClient: (datagram) => this.#sendToClient(datagram, client),
      onDatagram: (route, received) => this.#pass(route.enter(received), 0),
      onRefused: () => (this.#refused += 1),
      onFailed: () => this.#forget(key, session, 'unsent'),
    })
    this.#sessions.set(key, session)
    this.#expectExpiry()
    const { host, port: serverPort } = this.#upstream
    ipOf(host).then(
      (ip) => session.open({ address: ip, port: serverPort }),
      () => this.#forget(key, session, 'unsent'),
    )
    return session
  }

  #sendToClient(datagram: Datagram, client: IpAddress): void {
    if (this.listener === undefined) datagram.route.drop('closed')
    else this.listener.send(datagram, client)
  }

  /** Sets the timer for the session that has been idle for longest, unless it is set. A timer that is early does no harm. */
  #expectExpiry(): void {
    if (this.#cancelExpiry !== undefined || this.#sessions.size === 0) return
    const { clock, idleMs } = this.#settings
    const idleFrom = Math.min(...[...this.#sessions.values()].map((session) => session.idleFrom))
    this.#cancelExpiry = clock.after(Math.max(1, idleFrom + idleMs - clock.now()), () => this.#expire(), { ref: false })
  }

  #expire(): void {
    this.#cancelExpiry = undefined
    const { clock, idleMs } = this.#settings
    const now = clock.now()
    for (const [key, session] of this.#sessions) {
      if (session.idleFrom + idleMs > now) continue
      this.#expired += 1
      this.#forget(key, session, 'closed')
    }
    this.#expectExpiry()
  }

  #forget(key: string, session: Session, reason: 'closed' | 'unsent'): void {
    if (this.#sessions.get(key) !== session) return
    this.#sessions.delete(key)
    this.#dropHeld((route) => session.has(route))
    void session.close(reason)
  }

  #dropHeld(isClosed: (route: Route) => boolean): void {
    for (const toxic of this.#toxics) toxic.dropHeld(isClosed)
  }
}

/** What a toxic has done to a session, if anything. */
function hitsOf(toxic: DatagramToxic, { upstream, downstream }: Session): readonly DatagramHit[] {
  const datagrams = toxic.hitsOf(upstream) + toxic.hitsOf(downstream)
  return datagrams === 0 ? [] : [{ id: toxic.id, fault: toxic.fault, datagrams }]
}
