import { reply } from '../shared/reply.js'

/** An order of the shop. */
export interface Order {
  readonly id: string
  readonly item: string
  readonly amount: number
  readonly card: string
}

/** A payment, as the shop asks for it. */
export interface Payment {
  /** Two payments with one key are one payment. */
  readonly key: string
  readonly orderId: string
  readonly amount: number
  readonly card: string
}

/** A payment provider. */
export class Payments {
  readonly #byKey = new Map<string, Payment>()
  readonly #cancelled = new Set<string>()

  /** Charges the card. A repeated key charges nothing more, and a cancelled one is declined. */
  async charge(payment: Payment, _options: { readonly signal?: AbortSignal } = {}): Promise<'charged' | 'declined'> {
    const isDeclined = payment.card === 'declined' || this.#cancelled.has(payment.key)
    if (!isDeclined) this.#byKey.set(payment.key, payment)
    await reply()
    return isDeclined ? 'declined' : 'charged'
  }

  /** Takes a payment back, and refuses it if it comes later. */
  async cancel(key: string): Promise<void> {
    this.#cancelled.add(key)
    this.#byKey.delete(key)
    await reply()
  }

  /** How often an order has been charged. */
  chargesOf(orderId: string): number {
    return [...this.#byKey.values()].filter((payment) => payment.orderId === orderId).length
  }

  reset(): void {
    this.#byKey.clear()
    this.#cancelled.clear()
  }
}

/** A place that has items and keeps them for orders. */
export class Stock {
  readonly #reserved = new Map<string, string>()

  async reserve(orderId: string, item: string): Promise<void> {
    this.#reserved.set(orderId, item)
    await reply()
  }

  async release(orderId: string): Promise<void> {
    this.#reserved.delete(orderId)
    await reply()
  }

  has(orderId: string): boolean {
    return this.#reserved.has(orderId)
  }

  reset(): void {
    this.#reserved.clear()
  }
}

/** Sends mail. */
export class Mail {
  readonly #sent: string[] = []

  async send(to: string): Promise<void> {
    this.#sent.push(to)
    await reply()
  }

  sentTo(to: string): number {
    return this.#sent.filter((one) => one === to).length
  }

  reset(): void {
    this.#sent.length = 0
  }
}
