import { reply } from '../shared/reply.js'

/** The money of the customer. */
export class Wallet {
  readonly #start: number
  readonly #debits = new Map<string, number>()
  readonly #refunds = new Set<string>()
  balance: number

  constructor(start: number) {
    this.#start = start
    this.balance = start
  }

  /** Takes money for a trip, once. */
  async debit(trip: string, amount: number): Promise<void> {
    if (!this.#debits.has(trip)) {
      this.#debits.set(trip, amount)
      this.balance -= amount
    }
    await reply()
  }

  /** Gives back what was taken for a trip, if anything. Two refunds with one id are one refund. */
  async refund(trip: string, id?: string): Promise<void> {
    const isRepeated = id !== undefined && this.#refunds.has(id)
    if (!isRepeated) this.balance += this.#debits.get(trip) ?? 0
    if (id !== undefined) this.#refunds.add(id)
    await reply()
  }

  reset(): void {
    this.#debits.clear()
    this.#refunds.clear()
    this.balance = this.#start
  }
}

/** Bookings of one kind. Both calls can be repeated. */
export class Bookings {
  readonly #booked = new Set<string>()

  async book(trip: string): Promise<void> {
    this.#booked.add(trip)
    await reply()
  }

  async cancel(trip: string): Promise<void> {
    this.#booked.delete(trip)
    await reply()
  }

  has(trip: string): boolean {
    return this.#booked.has(trip)
  }

  reset(): void {
    this.#booked.clear()
  }
}

/** Hotels that let guests of a package cancel for free: those who still have their flight. */
export class PackageHotels extends Bookings {
  readonly #flights: Bookings
  fees = 0

  constructor(flights: Bookings) {
    super()
    this.#flights = flights
  }

  override async cancel(trip: string): Promise<void> {
    if (this.has(trip) && !this.#flights.has(trip)) this.fees += 1
    await super.cancel(trip)
  }

  override reset(): void {
    super.reset()
    this.fees = 0
  }
}

/** The durable log of sagas. */
export class SagaLog {
  readonly #entries = new Map<string, string[]>()

  async append(trip: string, entry: string): Promise<void> {
    this.#entries.set(trip, [...(this.#entries.get(trip) ?? []), entry])
    await reply()
  }

  async read(trip: string): Promise<readonly string[]> {
    await reply()
    return this.#entries.get(trip) ?? []
  }

  reset(): void {
    this.#entries.clear()
  }
}
