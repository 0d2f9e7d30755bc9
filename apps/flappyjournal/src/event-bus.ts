import { EventEmitter } from 'node:events'

/** A subscriber's function; what it returns is waited for when lag is measured. */
export type Handler = (payload: unknown) => void | Promise<void>

/** One event that passed over the bus. */
export interface HistoryEntry {
  readonly event: string
  readonly payload: unknown
  /** In ms since the epoch. */
  readonly at: number
}

/** What an event carries besides its payload, from `emit` to the end of its last handler. */
interface Delivery {
  readonly publishedAt: number
  /** Handlers that have not ended yet. */
  readonly open: Set<Listener>
}
type Listener = (payload: unknown, delivery: Delivery) => void

const MAX_HISTORY = 100
/** An event that has not been handled for so long, in ms, waits no longer: it is lost. */
const LOST_AFTER_MS = 60_000

/**
 * The bus between the modules. It measures itself: an event's lag counts from `emit` to the end of its last handler, and its backlog is what has
 * been published and not yet handled by everybody, whenever the handlers get to see it.
 */
export class ConsciousnessEventBus extends EventEmitter {
  readonly #subscribers = new Map<string, Map<string, Map<Handler, Listener>>>()
  readonly #history: HistoryEntry[] = []
  /** Events that somebody has not handled yet, oldest first. */
  readonly #waiting = new Set<Delivery>()
  readonly #now: () => number
  #lost = 0
  /** Called with the lag of each event, in ms, when its last handler has ended. */
  onLag: (lagMs: number) => void = () => undefined
  /** Called with what a handler threw. */
  onHandlerError: (error: unknown, module: string, event: string) => void = (error, module, event) =>
    console.error(JSON.stringify({ event: 'handler failed', module, name: event, error: String(error) }))

  constructor(now: () => number = () => performance.now()) {
    super()
    this.#now = now
    this.setMaxListeners(0)
  }

  /** Events published and not yet handled by all of their subscribers. */
  get backlog(): number {
    this.#giveUp()
    return this.#waiting.size
  }

  /** Events that were given up, since nobody had handled them after a minute. */
  get lost(): number {
    this.#giveUp()
    return this.#lost
  }

  /** Calls `handler` once for each `event`, in the name of a module. Subscribing the same again changes nothing. */
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
    // Nobody else will handle what is on its way to it.
    for (const delivery of this.#waiting) this.#handled(delivery, listener)
  }

  /** Publishes an event: stamps and counts it, then hands it to `super.emit`. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (typeof event !== 'string' || event === 'newListener' || event === 'removeListener' || event === 'error')
      return super.emit(event, ...args)
    const [payload] = args
    this.#history.push({ event, payload, at: Date.now() })
    this.#history.splice(0, this.#history.length - MAX_HISTORY)
    const open = new Set(
      [...(this.#subscribers.get(event)?.values() ?? [])].flatMap((handlers) => [...handlers.values()]),
    )
    // Only subscribers say when they have ended.
    if (open.size === 0) return super.emit(event, payload)
    const delivery: Delivery = { publishedAt: this.#now(), open }
    this.#waiting.add(delivery)
    this.#giveUp()
    return super.emit(event, payload, delivery)
  }

  /** The last 100 events, oldest first; of one name if one is given. */
  getEventHistory(event?: string): readonly HistoryEntry[] {
    return this.#history.filter((entry) => event === undefined || entry.event === event)
  }

  /** Modules by the events they subscribe to; of one event if one is given. */
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

  /** Notes that a handler has ended, or will never begin. An event that is delivered twice has one lag: until it was handled first. */
  #handled(delivery: Delivery, listener: Listener): void {
    if (!delivery.open.delete(listener) || delivery.open.size > 0 || !this.#waiting.delete(delivery)) return
    this.onLag(this.#now() - delivery.publishedAt)
  }

  /** An event that was dropped on its way must not stay in the backlog for ever. */
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
