import { ChaosError, type Clock, type Fault } from '@chaos/core'
import { unknownName } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import { Connection, type ConnectionSettings, type ConnectionState } from '../connections/connection.js'
import { Deadlines } from '../connections/deadlines.js'
import { addBytes, noBytes, type ByteAccount } from '../links/byte-account.js'
import type { Stream } from '../links/stage.js'
import { LinkedList } from '../queue/linked-list.js'
import { formatAddress, type Address } from '../sockets/address.js'
import type { ProxyTls } from '../tls/proxy-tls.js'
import { ENGINE, type Engine, type ProxyTarget } from '../toxics/engine.js'
import type { StreamChoice, Toxic } from '../toxics/toxic.js'
import { assertMade } from './assert-made.js'
import { Leaving } from './leaving.js'
import { listen, type Listener } from './listener.js'
import { ListeningProxy } from './listening-proxy.js'
import { checkMove, type Move } from './move.js'
import type { Proxy, ProxyCounters, ToxicState } from './proxy.js'

/** The checked settings of a proxy. */
export interface ProxySettings {
  readonly name: string
  readonly listen: Address
  readonly upstream: Address
  readonly connectTimeoutMs: number
  readonly maxConnections: number
  readonly maxHeldBytes: number
  readonly clock: Clock
  readonly isPublicOnly: boolean
  readonly readsHello: boolean
  readonly tls: ProxyTls | undefined
}

/** A proxy: its listener, its live connections and the toxics in force. */
export class ProxyEngine extends ListeningProxy<Listener> implements Proxy {
  /** What the default id of an injection names it by. */
  static override readonly name = 'Proxy'
  readonly #settings: ProxySettings
  readonly #ofConnections: ConnectionSettings
  readonly #deadlines: Deadlines
  readonly #connections = new LinkedList<Connection>()
  /** Replaced as a whole by each change. */
  #toxics: readonly Toxic[] = []
  #upstream: Address
  #accepted = 0
  #turnedAway = 0
  readonly #past: Readonly<Record<Stream, ReturnType<typeof noBytes>>> = { upstream: noBytes(), downstream: noBytes() }
  readonly #leaving = new Leaving<Connection>()

  constructor(settings: ProxySettings) {
    super(settings.name, 'createProxy', settings.listen)
    this.#settings = settings
    this.#deadlines = new Deadlines(settings.clock, settings.connectTimeoutMs)
    this.#ofConnections = {
      ...settings,
      deadlines: this.#deadlines,
      onClosed: (connection) => this.#forget(connection),
    }
    this.#upstream = settings.upstream
  }

  get [ENGINE](): Engine {
    return { add: (toxic) => this.#add(toxic), remove: (toxic) => this.#remove(toxic) }
  }

  get upstream(): string {
    return formatAddress(this.#upstream)
  }

  get counters(): ProxyCounters {
    const { tls } = this.#settings
    return {
      accepted: this.#accepted,
      open: this.#connections.length,
      turnedAway: this.#turnedAway,
      upstream: this.#bytes('upstream'),
      downstream: this.#bytes('downstream'),
      ...(tls === undefined ? {} : { tls: tls.counters }),
    }
  }

  connections(): readonly ConnectionState[] {
    return this.#connections.toArray().map(({ state }) => state)
  }

  toxics(): readonly ToxicState[] {
    const connections = this.#connections.toArray()
    return this.#toxics.map((toxic) => ({
      id: toxic.id,
      fault: toxic.fault,
      options: toxic.options,
      stream: toxic.isAtOpening ? undefined : choiceOf(toxic.streams),
      affected: connections.filter((connection) => connection.isHitBy(toxic)).length,
    }))
  }

  move(to: Move): Promise<void> {
    const { listen: address, upstream = this.#upstream } = checkMove(to)
    return this.relocate(address, () => {
      const isOther = formatAddress(upstream) !== this.upstream
      this.#upstream = upstream
      return isOther
    })
  }

  update(id: string, fault: Fault<ProxyTarget>): void {
    assertMade(fault)
    const toxic = this.#toxicOf(id)
    if (fault.name !== toxic.fault) {
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `The injection ${id} is of ${toxic.fault}, so it cannot be updated to ${fault.name}. End it and inject the other fault.`,
      )
    }
    const { stream } = fault.options as { readonly stream?: StreamChoice }
    if (stream !== undefined && stream !== choiceOf(toxic.streams)) {
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `The \`stream\` of ${id} is \`${choiceOf(toxic.streams)}\` and cannot be changed to \`${stream}\` while the fault is in force.`,
      )
    }
    toxic.options = fault.options
    for (const connection of this.#connections.toArray()) connection.edit(toxic)
  }

  reconsider(id: string): void {
    const toxic = this.#toxicOf(id)
    for (const connection of this.#connections.toArray()) {
      if (!connection.hasMet(toxic)) this.#meet(connection, toxic)
      else if (!toxic.covers(connection.info)) connection.leave(toxic)
    }
  }

  protected override bind(address: Address): Promise<Listener> {
    return listen(address, (socket) => this.#accept(socket))
  }

  protected override async closeTraffic(): Promise<void> {
    // Not those that come meanwhile: they may stay.
    const connections = this.#connections.toArray()
    const done = this.#leaving.wait(connections)
    for (const connection of connections) connection.destroy()
    this.#deadlines.rest()
    await done
  }

  #add(toxic: Toxic): void {
    this.assertOpen()
    this.#toxics = [...this.#toxics, toxic]
    for (const connection of this.#connections.toArray()) this.#meet(connection, toxic)
  }

  #remove(toxic: Toxic): void {
    this.#toxics = this.#toxics.filter((other) => other !== toxic)
    for (const connection of this.#connections.toArray()) connection.end(toxic)
  }

  /** A connection is beyond what acts at the opening. */
  #meet(connection: Connection, toxic: Toxic): void {
    if (!toxic.isAtOpening) connection.meet(toxic)
  }

  #toxicOf(id: string): Toxic {
    const toxic = this.#toxics.find((other) => other.id === id)
    if (toxic !== undefined) return toxic
    const known = this.#toxics.map((other) => other.id)
    throw new ChaosError('CHAOS_UNKNOWN_INJECTION', unknownName(`injection on the proxy ${this.name}`, id, known))
  }

  #accept(socket: Socket): void {
    if (this.#connections.length >= this.#settings.maxConnections) {
      this.#turnedAway += 1
      socket.destroy()
      return
    }
    this.#accepted += 1
    const connection = new Connection(socket, this.#accepted, this.#ofConnections)
    this.#connections.add(connection)
    connection.greet(() => {
      for (const toxic of this.#toxics) connection.meet(toxic)
      connection.open(this.#upstream)
    })
  }

  #forget(connection: Connection): void {
    this.#connections.remove(connection)
    addBytes(this.#past.upstream, connection.accountOf('upstream'))
    addBytes(this.#past.downstream, connection.accountOf('downstream'))
    this.#leaving.gone(connection)
  }

  #bytes(stream: Stream): ByteAccount {
    const sum = { ...this.#past[stream] }
    for (const connection of this.#connections.toArray()) addBytes(sum, connection.accountOf(stream))
    return sum
  }
}

function choiceOf(streams: readonly Stream[]): StreamChoice {
  return streams.length === 2 ? 'both' : (streams[0] as Stream)
}
