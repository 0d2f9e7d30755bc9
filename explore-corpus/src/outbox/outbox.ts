import type { EventEmitter } from 'node:events'
import type { OrderChanged, OrderStore, Points, Shipments } from './services.js'

/** What can be wrong with the outbox or its consumer. */
export type OutboxBug =
  | 'consumer-not-idempotent'
  | 'order-inversion'
  | 'ack-before-the-work'
  | 'dual-write'
  | 'poison-message-blocks'

/** What the app works with. */
export interface OutboxServices {
  readonly store: OrderStore
  readonly bus: EventEmitter
  readonly shipments: Shipments
  readonly points: Points
}

/** Writes orders, and events about them into the outbox. */
export class Orders {
  readonly #store: OrderStore
  readonly #bugs: ReadonlySet<OutboxBug>

  constructor({ store }: OutboxServices, bugs: ReadonlySet<OutboxBug>) {
    this.#store = store
    this.#bugs = bugs
  }

  /** Places an order, or changes its address. */
  async send(order: string, address: string): Promise<void> {
    const version = ((await this.#store.find(order))?.version ?? 0) + 1
    const event = { id: `${order}/${version}`, order, version, address }
    if (!this.#bugs.has('dual-write')) return this.#store.saveWithEvent(event)
    await this.#store.save(event)
    await this.#store.append(event)
  }
}

/** Publishes the events of the outbox, until each is acknowledged. */
export class Relay {
  readonly #services: OutboxServices

  constructor(services: OutboxServices) {
    this.#services = services
  }

  async flush(): Promise<void> {
    const { store, bus } = this.#services
    for (const event of await store.unacknowledged()) bus.emit('order', event)
  }
}

/** Handles events, one after the other. */
export class Consumer {
  readonly #services: OutboxServices
  readonly #bugs: ReadonlySet<OutboxBug>
  readonly #onEvent = (event: OrderChanged): void => this.#queue(event)
  #last: Promise<void> = Promise.resolve()

  constructor(services: OutboxServices, bugs: ReadonlySet<OutboxBug>) {
    this.#services = services
    this.#bugs = bugs
    services.bus.on('order', this.#onEvent)
  }

  close(): void {
    this.#services.bus.off('order', this.#onEvent)
  }

  #queue(event: OrderChanged): void {
    const tried = this.#last.then(() => this.#try(event))
    const over = tried.catch(() => undefined)
    // No event waits for the success of the one before.
    this.#last = this.#bugs.has('poison-message-blocks') ? tried : over
  }

  /** Handles an event. It is delivered again until that succeeds. */
  async #try(event: OrderChanged): Promise<void> {
    try {
      await this.#handle(event)
    } catch {
      await this.#services.store.noteFailure(event.id)
    }
  }

  async #handle(event: OrderChanged): Promise<void> {
    const { store, shipments, points } = this.#services
    const isEager = this.#bugs.has('ack-before-the-work')
    if (isEager) await store.acknowledge(event.id)
    await shipments.put(event, !this.#bugs.has('order-inversion'))
    await points.add(event.order, 10, this.#bugs.has('consumer-not-idempotent') ? undefined : event.id)
    if (!isEager) await store.acknowledge(event.id)
  }
}
