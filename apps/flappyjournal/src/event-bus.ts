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
  open: number
}

const MAX_HISTORY = 100

/**
 * The bus between the modules. It measures itself: an event's lag counts from `emit` to the end of its last handler, and its backlog is what has
 * been published and not yet handled by everybody, whenever the handlers get to see it.
 */
export class ConsciousnessEventBus extends EventEmitter {
  readonly #subscribers = new Map<string, Map<string, Map<Handler, (payload: unknown, delivery: Delivery) => void>>>()
  readonly #history: HistoryEntry[] = []
  #backlog = 0
  /** Called with the lag of each event, in ms, when its last handler has ended. */
  onLag: (lagMs: number) => void = () => undefined
  /** Called with what a handler threw. */
  onHandlerError: (error: unknown, module: string, event: string) => void = (error, module, event) => console.error(JSON.stringify({ event: 'handler failed', module, name: event, error: String(error) }))

  constructor() {
    super()
    this.setMaxListeners(0)
  }

  /** Events published and not yet handled by all of their subscribers. */
  get backlog(): number {
    return this.#backlog
  }

  /** Calls `handler` once for each `event`, in the name of a module. Subscribing the same again changes nothing. */
  subscribe(module: string, event: string, handler: Handler): void {
    const modules = this.#subscribers.get(event) ?? new Map<string, Map<Handler, (payload: unknown, delivery: Delivery) => void>>()
    const handlers = modules.get(module) ?? new Map<Handler, (payload: unknown, delivery: Delivery) => void>()
    if (handlers.has(handler)) return
    const listener = (payload: unknown, delivery: Delivery): void => void this.#run(module, event, handler, payload, delivery)
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
  }

  /** Publishes an event: stamps and counts it, then hands it to `super.emit`. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (typeof event !== 'string' || event === 'newListener' || event === 'removeListener' || event === 'error') return super.emit(event, ...args)
    const [payload] = args
    this.#history.push({ event, payload, at: Date.now() })
    this.#history.splice(0, this.#history.length - MAX_HISTORY)
    const open = this.listenerCount(event)
    if (open === 0) return false
    this.#backlog += 1
    return super.emit(event, payload, { publishedAt: performance.now(), open } satisfies Delivery)
  }

  /** The last 100 events, oldest first; of one name if one is given. */
  getEventHistory(event?: string): readonly HistoryEntry[] {
    return this.#history.filter((entry) => event === undefined || entry.event === event)
  }

  /** Modules by the events they subscribe to; of one event if one is given. */
  getSubscribers(event?: string): Readonly<Record<string, readonly string[]>> {
    const entries = [...this.#subscribers].filter(([name]) => event === undefined || name === event)
    return Object.fromEntries(entries.map(([name, modules]) => [name, [...modules].filter(([, handlers]) => handlers.size > 0).map(([module]) => module)]))
  }

  broadcastModuleStatus(module: string, status: string, details: Readonly<Record<string, unknown>> = {}): void {
    this.emit('module:status', { module, status, details, at: Date.now() })
  }

  async #run(module: string, event: string, handler: Handler, payload: unknown, delivery: Delivery): Promise<void> {
    try {
      const pending = handler(payload)
      if (pending !== undefined) await pending
    } catch (error) {
      this.onHandlerError(error, module, event)
    }
    delivery.open -= 1
    if (delivery.open > 0) return
    this.#backlog -= 1
    this.onLag(performance.now() - delivery.publishedAt)
  }
}

let shared: ConsciousnessEventBus | undefined

/** The bus of this process. */
export function eventBus(): ConsciousnessEventBus {
  return (shared ??= new ConsciousnessEventBus())
}
