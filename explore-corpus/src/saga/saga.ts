import type { Bookings, SagaLog, Wallet } from './services.js'

/** What can be wrong with the saga. */
export type SagaBug =
  | 'compensation-not-idempotent'
  | 'compensation-in-booking-order'
  | 'lost-reply-not-compensated'
  | 'compensation-error-swallowed'
  | 'log-after-the-step'

/** The services that the saga calls. */
export interface SagaServices {
  readonly wallet: Wallet
  readonly flights: Bookings
  readonly hotels: Bookings
  readonly cars: Bookings
  readonly log: SagaLog
}

interface Step {
  readonly name: string
  readonly act: (trip: string) => Promise<void>
  readonly undo: (trip: string) => Promise<void>
}

export const PRICE = 300

type Status = 'booked' | 'cancelled' | 'pending'

/** Books a trip in steps. If one fails, the steps that were begun are undone, the last one first. */
export class TripSaga {
  readonly #log: SagaLog
  readonly #bugs: ReadonlySet<SagaBug>
  readonly #steps: readonly Step[]

  constructor({ wallet, flights, hotels, cars, log }: SagaServices, bugs: ReadonlySet<SagaBug>) {
    this.#log = log
    this.#bugs = bugs
    const booking = (name: string, bookings: Bookings): Step => ({
      name,
      act: (trip) => bookings.book(trip),
      undo: (trip) => bookings.cancel(trip),
    })
    this.#steps = [
      {
        name: 'wallet',
        act: (trip) => wallet.debit(trip, PRICE),
        undo: (trip) => wallet.refund(trip, bugs.has('compensation-not-idempotent') ? undefined : trip),
      },
      booking('flight', flights),
      booking('hotel', hotels),
      booking('car', cars),
    ]
  }

  /** @returns `pending` if {@link recover} must end the trip. */
  async book(trip: string): Promise<Status> {
    const begun: Step[] = []
    try {
      for (const step of this.#steps) await this.#take(trip, step, begun)
    } catch {
      return this.#compensate(trip, begun)
    }
    return this.#end(trip, 'booked')
  }

  /** Ends a trip that was left pending, by what the log says. */
  async recover(trip: string): Promise<Status> {
    const entries = await this.#log.read(trip)
    if (entries.includes('booked')) return 'booked'
    if (entries.includes('cancelled')) return 'cancelled'
    return this.#compensate(
      trip,
      this.#steps.filter(({ name }) => entries.includes(name)),
    )
  }

  async #take(trip: string, step: Step, begun: Step[]): Promise<void> {
    const isLogLate = this.#bugs.has('log-after-the-step')
    if (!isLogLate) await this.#log.append(trip, step.name)
    // A step that fails may have been taken although no answer came.
    if (!this.#bugs.has('lost-reply-not-compensated')) begun.push(step)
    await step.act(trip)
    if (this.#bugs.has('lost-reply-not-compensated')) begun.push(step)
    if (isLogLate) await this.#log.append(trip, step.name)
  }

  async #compensate(trip: string, begun: readonly Step[]): Promise<Status> {
    const steps = this.#bugs.has('compensation-in-booking-order') ? begun : [...begun].reverse()
    try {
      for (const { undo } of steps) {
        if (this.#bugs.has('compensation-error-swallowed')) await undo(trip).catch(() => undefined)
        else await undo(trip)
      }
    } catch {
      return 'pending'
    }
    return this.#end(trip, 'cancelled')
  }

  async #end(trip: string, status: 'booked' | 'cancelled'): Promise<Status> {
    try {
      await this.#log.append(trip, status)
      return status
    } catch {
      return 'pending'
    }
  }
}
