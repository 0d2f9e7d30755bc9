import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { expectAcknowledgements, refusalOf } from '../traffic/acknowledgement.js'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import type { EventName, Message } from '../seams/bus.js'
import { bounded, messageIdentity } from '../traffic/message-identity.js'
import { scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const { seam: _always, ...scope } = scopeOptions
const options = {
  times: option.optional(
    option.count('How often one event is refused; after that its acknowledgement reaches the broker.', 1),
    10,
  ),
  keyAt: option.optional(
    option.text('Path of the field by which an event is known again: orderId. Default: its whole payload.'),
  ),
  ...scope,
  ...scopeInProcess,
}

/** Options of {@link nackEvents}. */
export type NackEventsOptions = OptionsOf<typeof nackEvents>

/**
 * Turns acknowledgements into negative ones that requeue: what was processed is delivered again at once, again and again.
 *
 * Models a nack storm: a consumer that refuses what it cannot finish and gets it back immediately, without a pause or a dead-letter queue, so
 * that consumer and broker are busy with the same few messages. An operation is an acknowledgement. Each event is refused `times` times at most;
 * `limit` bounds them all together. Events with equal keys are one event.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` on a bus whose consumers cannot give a delivery back.
 */
export const nackEvents = defineFault({
  name: 'eventbus/nack-events',
  kind: 'standing',
  summary: 'Turns acknowledgements into refusals, so that events are delivered again and again.',
  options,
  target: busTarget,
  inject(bus: BusTarget, options, context) {
    expectAcknowledgements(bus, { requeue: true })
    const refusals = new Refusals(options.times, options.keyAt)
    directTraffic(
      bus,
      { ...options, seam: 'ack', order: 'free', applies: (message) => refusals.mayRefuse(message) },
      context,
      (message, traffic) => {
        refusals.count()
        return traffic.deliver(refusalOf(message))
      },
    )
  },
})

/** Events remembered at most, of all names: one that was forgotten may be refused more often. */
const REMEMBERED = 50_000

/** How often each event was refused. One that may go is forgotten. */
class Refusals {
  readonly #times: number
  readonly #keyAt: string | undefined
  readonly #counts = new Map<string, number>()
  /** The event that was asked about last, which is the one that is counted: reading it a second time might tell another. */
  #asked = ''

  constructor(times: number, keyAt: string | undefined) {
    this.#times = times
    this.#keyAt = keyAt
  }

  mayRefuse({ name, payload }: Message): boolean {
    const key = eventKey(name, messageIdentity(payload, this.#keyAt, true))
    this.#asked = key
    if ((this.#counts.get(key) ?? 0) < this.#times) return true
    this.#counts.delete(key)
    return false
  }

  count(): void {
    this.#counts.set(this.#asked, (this.#counts.get(this.#asked) ?? 0) + 1)
    if (this.#counts.size <= REMEMBERED) return
    const [oldest] = this.#counts.keys()
    if (oldest !== undefined) this.#counts.delete(oldest)
  }
}

/** One text for name and key, of bounded length. */
const eventKey = (name: EventName, key: unknown): string => `${bounded(String(name))}\0${typeof key}\0${String(key)}`
