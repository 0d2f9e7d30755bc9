import { retry, TimeoutError, withTimeout } from '../shared/retry.js'
import type { Time } from '../shared/time.js'
import type { Mail, Order, Payments, Stock } from './services.js'

/** What can be wrong with the shop. */
export type ShopBug =
  | 'retry-without-idempotency-key'
  | 'timeout-without-cancel'
  | 'swallowed-error'
  | 'cascading-fallback'
  | 'rollback-tried-once'

/** The services that the shop calls. */
export interface ShopServices {
  readonly payments: Payments
  readonly warehouse: Stock
  /** Has what the warehouse has not. */
  readonly outlet: Stock
  readonly mail: Mail
}

const CHARGE_TIMEOUT_MS = 30

/** A shop: it reserves what is ordered, charges the card, and confirms by mail. */
export class Shop {
  readonly #services: ShopServices
  readonly #time: Time
  readonly #bugs: ReadonlySet<ShopBug>
  /** Orders that must be ended later, and mails that must be sent later. */
  readonly #unsettled = new Set<Order>()
  readonly #unsent = new Set<Order>()

  constructor(services: ShopServices, time: Time, bugs: ReadonlySet<ShopBug>) {
    this.#services = services
    this.#time = time
    this.#bugs = bugs
  }

  /** @returns Whether the order is accepted. `later`: {@link settle} rejects it. A rejected order costs nothing and keeps nothing. */
  async place(order: Order): Promise<'confirmed' | 'rejected' | 'later'> {
    try {
      const reserved = await this.#reserve(order)
      if (reserved === 'nowhere') return 'rejected'
      if (!(await this.#charge(order))) {
        if (reserved !== 'promised') await this.#release(reserved, order)
        return 'rejected'
      }
    } catch {
      this.#unsettled.add(order)
      return 'later'
    }
    // The order stands, with or without a mail.
    await this.#services.mail.send(order.id).catch(() => void this.#unsent.add(order))
    return 'confirmed'
  }

  /** Ends what could not be ended before. */
  async settle(): Promise<void> {
    const { payments, warehouse, outlet, mail } = this.#services
    for (const { id } of this.#unsettled) {
      await payments.cancel(id)
      for (const stock of [warehouse, outlet]) await stock.release(id)
    }
    for (const { id } of this.#unsent) await mail.send(id)
  }

  async #reserve(order: Order): Promise<Stock | 'nowhere' | 'promised'> {
    for (const stock of [this.#services.warehouse, this.#services.outlet]) {
      try {
        await stock.reserve(order.id, order.item)
        return stock
      } catch {
        // The item may be reserved although no answer came.
        await this.#release(stock, order)
      }
    }
    // The second fallback assumes that there is always something to sell.
    return this.#bugs.has('cascading-fallback') ? 'promised' : 'nowhere'
  }

  async #release(stock: Stock, { id }: Order): Promise<void> {
    if (this.#bugs.has('rollback-tried-once')) await stock.release(id).catch(() => undefined)
    else await retry(2, () => stock.release(id))
  }

  async #charge({ id, amount, card }: Order): Promise<boolean> {
    const { payments } = this.#services
    const forgets = this.#bugs.has('timeout-without-cancel')
    try {
      const answer = await retry(
        2,
        (number) => {
          const key = this.#bugs.has('retry-without-idempotency-key') ? `${id}/${number}` : id
          return withTimeout(this.#time, CHARGE_TIMEOUT_MS, (signal) =>
            payments.charge({ key, orderId: id, amount, card }, forgets ? {} : { signal }),
          )
        },
        (error) => error instanceof TimeoutError,
      )
      return answer === 'charged'
    } catch (error) {
      if (forgets && error instanceof TimeoutError) return false
      // Nobody knows whether the card was charged, or will be.
      if (this.#bugs.has('swallowed-error')) await payments.cancel(id).catch(() => undefined)
      else await retry(2, () => payments.cancel(id))
      return false
    }
  }
}
