import { ChaosError, createChaos, type Chaos, type Injection } from '@chaos/core'
import { extendLease, MAX_TIMER_MS, unknownName, type FaultFactoryFor } from '@chaos/core/authoring'
import { ENGINE, type ProxyTarget } from '../../toxics/engine.js'
import type { Toxic } from '../../toxics/toxic.js'
import type { Proxy } from '../proxy.js'
import { processTime } from './process-time.js'
import type { Reports } from './reports.js'
import type { InjectOrder, Place, ThreadProxy } from './thread-proxy.js'

type Make = FaultFactoryFor<ProxyTarget>

/** A proxy of this thread, as the other thread asks for it. Leases and decisions are those of this thread's own core. */
export class ServedProxy implements ThreadProxy {
  readonly #proxy: Proxy
  readonly #faults: readonly FaultFactoryFor<never>[]
  readonly #reports: Reports
  readonly #chaos: Chaos
  readonly #injections = new Map<string, Injection>()
  #made = 0

  constructor(proxy: Proxy, faults: readonly FaultFactoryFor<never>[], reports: Reports) {
    this.#proxy = proxy
    this.#faults = faults
    this.#reports = reports
    // Whether a fault is allowed, and how long, the other thread has decided before it asks.
    const environment = namedEnvironment()
    this.#chaos = createChaos({ environment, allowEnvironments: [environment], maxLeaseMs: MAX_TIMER_MS })
    this.#chaos.controller.follow(reports.hear)
  }

  get place(): Place {
    const { listen, host, port, upstream, enabled } = this.#proxy
    return { listen, host, port, upstream, enabled }
  }

  async enable(): Promise<Place> {
    await this.#proxy.enable()
    return this.place
  }

  async disable(): Promise<Place> {
    await this.#proxy.disable()
    return this.place
  }

  async move(to: Parameters<Proxy['move']>[0]): Promise<Place> {
    await this.#proxy.move(to)
    return this.place
  }

  async close(): ReturnType<ThreadProxy['close']> {
    await this.#proxy.close()
    return { counters: this.#proxy.counters, toxics: this.#proxy.toxics() }
  }

  async inject({ fault, options, how, leaseEndsAt, stop }: InjectOrder): Promise<void> {
    const { id } = how
    const make = this.#makerOf(fault)
    const target = this.#chaos.target(`injection-${(this.#made += 1)}`, stoppable(this.#proxy, stop), [make])
    const leaseMs = Math.max(0, leaseEndsAt - processTime())
    this.#reports.begin(id)
    try {
      const injection = await target.inject(fault, options as never, { ...how, leaseMs })
      this.#injections.set(id, injection)
      this.#reports.count(id, injection)
      void injection.done.then(() => this.#forget(id, target))
    } catch (error) {
      this.#forget(id, target)
      throw error
    }
  }

  async release(id: string): Promise<void> {
    await this.#injections.get(id)?.rollback()
  }

  extendLease(id: string, leaseMs: number): void {
    extendLease(id, leaseMs, { mayShorten: true })
  }

  update(id: string, fault: string, options: Readonly<Record<string, unknown>>): void {
    this.#proxy.update(id, this.#makerOf(fault)(options as never))
  }

  reconsider(id: string): void {
    this.#proxy.reconsider(id)
  }

  counters(): ReturnType<ThreadProxy['counters']> {
    return this.#proxy.counters
  }

  connections(): ReturnType<ThreadProxy['connections']> {
    return this.#proxy.connections()
  }

  toxics(): ReturnType<ThreadProxy['toxics']> {
    return this.#proxy.toxics()
  }

  #forget(id: string, target: { remove(): Promise<void> }): void {
    this.#reports.end(id)
    this.#injections.delete(id)
    void target.remove()
  }

  #makerOf(name: string): Make {
    const found = this.#faults.find(({ catalog }) => catalog.name === name)
    // Whether it accepts a proxy, the controller checks.
    if (found !== undefined) return found as Make
    const known = this.#faults.map(({ catalog }) => catalog.name)
    throw new ChaosError('CHAOS_UNKNOWN_FAULT', unknownName('fault of a proxy in a worker thread', name, known))
  }
}

/** A target whose toxics have no further hit once the other thread says so, before its message is read. */
function stoppable(proxy: ProxyTarget, stop: Int32Array): ProxyTarget {
  const engine = proxy[ENGINE]
  return {
    [ENGINE]: {
      add(toxic: Toxic) {
        toxic.isStopped = () => Atomics.load(stop, 0) !== 0
        return engine.add(toxic)
      },
      remove: (toxic) => engine.remove(toxic),
    },
  }
}

/** The environment that faults are allowed in, if they are: the other thread has asked by its own rules. */
function namedEnvironment(): string {
  const { NODE_ENV = '', CHAOS_ALLOW_ENVIRONMENT = '' } = process.env
  const named = NODE_ENV.trim().toLowerCase() === 'production' ? CHAOS_ALLOW_ENVIRONMENT : NODE_ENV
  return named === '' ? 'development' : named
}
