import { reply } from '../shared/reply.js'

/** The state of an order. A change makes a new version. */
export interface OrderState {
  readonly order: string
  readonly version: number
  readonly address: string
}

/** Tells that an order has changed. */
export interface OrderChanged extends OrderState {
  /** The same when the event is delivered again. */
  readonly id: string
}

/** The database of the shop: orders, and the events that nobody has acknowledged yet. */
export class OrderStore {
  readonly #orders = new Map<string, OrderState>()
  readonly #outbox = new Map<string, OrderChanged>()
  readonly #failures = new Map<string, number>()

  async find(order: string): Promise<OrderState | undefined> {
    const state = this.#orders.get(order)
    await reply()
    return state
  }

  /** Writes an order and its event in one transaction. */
  async saveWithEvent(event: OrderChanged): Promise<void> {
    this.#keep(event)
    this.#outbox.set(event.id, event)
    await reply()
  }

  async save(state: OrderState): Promise<void> {
    this.#keep(state)
    await reply()
  }

  async append(event: OrderChanged): Promise<void> {
    this.#outbox.set(event.id, event)
    await reply()
  }

  /** The oldest first. */
  async unacknowledged(): Promise<readonly OrderChanged[]> {
    const events = [...this.#outbox.values()]
    await reply()
    return events
  }

  async acknowledge(id: string): Promise<void> {
    this.#outbox.delete(id)
    await reply()
  }

  /** Counts a failure of the consumer, for those who watch it. */
  async noteFailure(id: string): Promise<void> {
    this.#failures.set(id, (this.#failures.get(id) ?? 0) + 1)
    await reply()
  }

  get orders(): readonly OrderState[] {
    return [...this.#orders.values()]
  }

  get unsent(): number {
    return this.#outbox.size
  }

  reset(): void {
    this.#orders.clear()
    this.#outbox.clear()
    this.#failures.clear()
  }

  #keep({ order, version, address }: OrderState): void {
    this.#orders.set(order, { order, version, address })
  }
}

/** Where orders are sent to, as the consumer knows it. */
export class Shipments {
  readonly #addresses = new Map<string, OrderState>()

  /** @param ifNewer Leaves a newer version alone. */
  async put(state: OrderState, ifNewer: boolean): Promise<void> {
    const known = this.#addresses.get(state.order)
    const isOld = ifNewer && known !== undefined && known.version >= state.version
    if (!isOld) this.#addresses.set(state.order, state)
    await reply()
  }

  addressOf(order: string): string | undefined {
    return this.#addresses.get(order)?.address
  }

  reset(): void {
    this.#addresses.clear()
  }
}

/** The points that customers get for each version of an order. */
export class Points {
  readonly #seen = new Set<string>()
  readonly #points = new Map<string, number>()

  /** @param id Points with a known id are not added again. */
  async add(order: string, points: number, id?: string): Promise<void> {
    const isRepeated = id !== undefined && this.#seen.has(id)
    if (!isRepeated) this.#points.set(order, this.of(order) + points)
    if (id !== undefined) this.#seen.add(id)
    await reply()
  }

  of(order: string): number {
    return this.#points.get(order) ?? 0
  }

  reset(): void {
    this.#seen.clear()
    this.#points.clear()
  }
}
