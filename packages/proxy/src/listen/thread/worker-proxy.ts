import type { Fault } from '@chaos/core'
import { ENGINE, type Engine, type ProxyTarget } from '../../toxics/engine.js'
import type { ConnectionState } from '../../connections/connection.js'
import { assertMade } from '../assert-made.js'
import { checkMove, type Move } from '../move.js'
import type { Proxy, ProxyCounters, ToxicState } from '../proxy.js'
import { ProxyEngine } from '../proxy-engine.js'
import { RemoteEngine } from './remote-engine.js'
import { startThread } from './start-thread.js'
import type { ThreadChannel } from './thread-channel.js'
import type { Place } from './thread-proxy.js'

/** A proxy that lives in a worker thread of its own. */
export class WorkerProxy implements Proxy {
  /** By which the default id of an injection, and so its decisions, are those of a proxy in this thread. */
  static readonly name = ProxyEngine.name
  readonly name: string
  readonly #engine: RemoteEngine
  readonly #channel: ThreadChannel
  #place: Place
  #last: { readonly counters: ProxyCounters; readonly toxics: readonly ToxicState[] } | undefined
  #closing: Promise<void> | undefined

  private constructor(name: string, engine: RemoteEngine, channel: ThreadChannel, place: Place) {
    this.name = name
    this.#engine = engine
    this.#channel = channel
    this.#place = place
    this.#settle(place)
  }

  /**
   * Starts a thread with a proxy.
   *
   * @param options The options of `createProxy`, for the thread.
   * @throws ChaosError `CHAOS_LISTEN_FAILED` if the address is taken, `CHAOS_INVALID_OPTION` for an option that cannot be sent.
   */
  static async start(name: string, options: object): Promise<WorkerProxy> {
    const engine = new RemoteEngine(() => channel)
    const channel = startThread({ name, options, onReport: engine.report, onLost: engine.lose })
    try {
      return new WorkerProxy(name, engine, channel, await channel.started<Place>())
    } catch (error) {
      await channel.close()
      throw error
    }
  }

  get [ENGINE](): Engine {
    return this.#engine
  }

  get listen(): string {
    return this.#place.listen
  }

  get host(): string {
    return this.#place.host
  }

  get port(): number {
    return this.#place.port
  }

  get upstream(): string {
    return this.#place.upstream
  }

  get enabled(): boolean {
    return this.#channel.over === undefined && this.#place.enabled
  }

  get counters(): ProxyCounters {
    return this.#last?.counters ?? this.#channel.read('counters')
  }

  connections(): readonly ConnectionState[] {
    return this.#last === undefined ? this.#channel.read('connections') : []
  }

  toxics(): readonly ToxicState[] {
    if (this.#last === undefined) return this.#channel.read('toxics')
    return this.#last.toxics.filter(({ id }) => this.#engine.isInForce(id))
  }

  async enable(): Promise<void> {
    this.#settle(await this.#channel.request('enable'))
  }

  async disable(): Promise<void> {
    if (this.#closing === undefined) this.#settle(await this.#channel.request('disable'))
  }

  // Not async: an address that is none is refused at once, as by a proxy in this thread.
  move(to: Move): Promise<void> {
    checkMove(to)
    return this.#channel.request('move', to).then((place) => this.#settle(place))
  }

  update(id: string, fault: Fault<ProxyTarget>): void {
    assertMade(fault)
    this.#channel.read('update', id, fault.name, fault.options)
  }

  reconsider(id: string): void {
    this.#channel.read('reconsider', id)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    // A thread that has ended by itself has closed everything.
    if (this.#channel.over === undefined) this.#last = await this.#channel.request('close')
    this.#settle({ ...this.#place, enabled: false })
    await this.#channel.close()
  }

  #settle(place: Place): void {
    this.#place = place
    this.#channel.keepAlive(place.enabled)
  }
}
