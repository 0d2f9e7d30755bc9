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
    option.count('How often each event is refused before its acknowledgement reaches the broker.', 1),
    10,
  ),
  keyAt: option.optional(
    option.text('Path of the field that identifies a redelivered event: orderId. Default: the whole payload.'),
  ),
  ...scope,
  ...scopeInProcess,
}

/** Options of {@link nackEvents}. */
export type NackEventsOptions = OptionsOf<typeof nackEvents>

/**
 * Turns acknowledgements into negative acknowledgements with requeue: the broker redelivers processed events at once.
 *
 * Models a nack storm: a consumer refuses messages that it cannot process and gets them back at once, without a pause or a
 * dead-letter queue, so that consumer and broker keep handling the same few messages. An operation is an acknowledgement.
 * Each event is refused at most `times` times; `limit` bounds all refusals together. Events with equal keys are one event.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when consumers of the bus cannot requeue a delivery.
 */
export const nackEvents = defineFault({
  name: 'eventbus/nack-events',
  kind: 'standing',
  summary: 'Turns acknowledgements into negative ones, so that the broker redelivers events.',
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

/** The most events to remember, of all names. A forgotten event may be refused more often than `times`. */
const REMEMBERED = 50_000

/** Counts the refusals of each event. An event that reaches `times` is forgotten. */
class Refusals {
  readonly #times: number
  readonly #keyAt: string | undefined
  readonly #counts = new Map<string, number>()
  /**
   * The key of the last `mayRefuse`, which `count` counts: a getter of the payload may return another value on a second
   * read.
   */
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

/** Name and key in one string of bounded length. */
const eventKey = (name: EventName, key: unknown): string => `${bounded(String(name))}\0${typeof key}\0${String(key)}`
