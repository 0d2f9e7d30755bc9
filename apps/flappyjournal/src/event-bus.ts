import { EventEmitter } from 'node:events'

/** A subscriber's function. The measured lag includes the promise that it returns. */
export type Handler = (payload: unknown) => void | Promise<void>

/** One published event. */
export interface HistoryEntry {
  readonly event: string
  readonly payload: unknown
  /** When the event was published, in ms since the epoch. */
  readonly at: number
}

/** The bookkeeping of an event from `emit` to the end of its last handler. */
interface Delivery {
  readonly publishedAt: number
  /** Handlers that have not ended yet. */
  readonly open: Set<Listener>
}
type Listener = (payload: unknown, delivery: Delivery) => void

const MAX_HISTORY = 100
/** The time after which an event without an end of handling counts as lost, in ms. */
const LOST_AFTER_MS = 60_000

/**
 * The bus between the modules, with its own metrics. The lag of an event is the time from `emit` to the end of its last
 * handler. The backlog is the number of published events that are not yet handled by all subscribers, including events
 * that have not reached their handlers.
 */
export class ConsciousnessEventBus extends EventEmitter {
  readonly #subscribers = new Map<string, Map<string, Map<Handler, Listener>>>()
  readonly #history: HistoryEntry[] = []
  /** Events that are not yet handled by all subscribers, oldest first. */
  readonly #waiting = new Set<Delivery>()
  readonly #now: () => number
  #lost = 0
  /** Called with the lag of each event, in ms, after its last handler has ended. */
  onLag: (lagMs: number) => void = () => undefined
  /** Called with the error that a handler threw. */
  onHandlerError: (error: unknown, module: string, event: string) => void = (error, module, event) =>
    console.error(JSON.stringify({ event: 'handler failed', module, name: event, error: String(error) }))

  constructor(now: () => number = () => performance.now()) {
    super()
    this.#now = now
    this.setMaxListeners(0)
  }

  /** The number of published events that are not yet handled by all their subscribers. */
  get backlog(): number {
    this.#giveUp()
    return this.#waiting.size
  }

  /** The number of events that counted as lost, because they were not handled within a minute. */
  get lost(): number {
    this.#giveUp()
    return this.#lost
  }

  /** Subscribes a module's handler to an event. A repeated subscription of the same handler has no effect. */
  subscribe(module: string, event: string, handler: Handler): void {
    const modules = this.#subscribers.get(event) ?? new Map<string, Map<Handler, Listener>>()
    const handlers = modules.get(module) ?? new Map<Handler, Listener>()
    if (handlers.has(handler)) return
    const listener: Listener = (payload, delivery) =>
      void this.#run(module, event, handler, listener, payload, delivery)
    handlers.set(handler, listener)
    modules.set(module, handlers)
    this.#subscribers.set(event, modules)
    this.on(event, listener)
  }

  unsubscribe(module: string, event: string, handler: Handler): void {
    const listener = this.#subscribers.get(event)?.get(module)?.get(handler)
    if (listener === undefined) return
    this.off(event, listener)
    this.#subscribers.get(event)?.get(module)?.delete(handler)
    // The removed handler no longer holds up events in delivery.
    for (const delivery of this.#waiting) this.#handled(delivery, listener)
  }

  /** Publishes an event: records and counts it, then delivers it through `super.emit`. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (typeof event !== 'string' || event === 'newListener' || event === 'removeListener' || event === 'error')
      return super.emit(event, ...args)
    const [payload] = args
    this.#history.push({ event, payload, at: Date.now() })
    this.#history.splice(0, this.#history.length - MAX_HISTORY)
    const open = new Set(
      [...(this.#subscribers.get(event)?.values() ?? [])].flatMap((handlers) => [...handlers.values()]),
    )
    // Without subscribers, nothing reports the end of handling.
    if (open.size === 0) return super.emit(event, payload)
    const delivery: Delivery = { publishedAt: this.#now(), open }
    this.#waiting.add(delivery)
    this.#giveUp()
    return super.emit(event, payload, delivery)
  }

  /** The last 100 events, oldest first, optionally of one name. */
  getEventHistory(event?: string): readonly HistoryEntry[] {
    return this.#history.filter((entry) => event === undefined || entry.event === event)
  }

  /** The subscribed modules by event, optionally of one event. */
  getSubscribers(event?: string): Readonly<Record<string, readonly string[]>> {
    const entries = [...this.#subscribers].filter(([name]) => event === undefined || name === event)
    return Object.fromEntries(
      entries.map(([name, modules]) => [
        name,
        [...modules].filter(([, handlers]) => handlers.size > 0).map(([module]) => module),
      ]),
    )
  }

  broadcastModuleStatus(module: string, status: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.emit('module:status', { module, status, details, at: Date.now() })
  }

  async #run(
    module: string,
    event: string,
    handler: Handler,
    listener: Listener,
    payload: unknown,
    delivery: Delivery,
  ): Promise<void> {
    try {
      const pending = handler(payload)
      if (pending !== undefined) await pending
    } catch (error) {
      this.onHandlerError(error, module, event)
    }
    this.#handled(delivery, listener)
  }

  /**
   * Records that a handler has ended or will never start. An event that is delivered twice counts its first handling.
   */
  #handled(delivery: Delivery, listener: Listener): void {
    if (!delivery.open.delete(listener) || delivery.open.size > 0 || !this.#waiting.delete(delivery)) return
    this.onLag(this.#now() - delivery.publishedAt)
  }

  /** Removes overdue events, so that an event that was dropped in delivery does not stay in the backlog forever. */
  #giveUp(): void {
    for (const delivery of this.#waiting) {
      if (this.#now() - delivery.publishedAt <= LOST_AFTER_MS) return
      this.#waiting.delete(delivery)
      this.#lost += 1
    }
  }
}

let shared: ConsciousnessEventBus | undefined

/** The bus of this process. */
export function eventBus(): ConsciousnessEventBus {
  return (shared ??= new ConsciousnessEventBus())
}
