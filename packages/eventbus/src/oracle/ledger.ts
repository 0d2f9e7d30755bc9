import type { EventName } from '../seams/bus.js'

/**
 * A delivery guarantee of a bus. `exactly-once`: neither lost nor repeated. `in-order`: in order per key.
 * `bounded-lag`: delivered within `maxLagMs`.
 */
export type Guarantee = 'at-most-once' | 'at-least-once' | 'exactly-once' | 'in-order' | 'bounded-lag'

/** The first message that violates a guarantee. */
export interface Violation {
  readonly guarantee: Guarantee
  readonly subscriber: string
  readonly name: EventName
  /** The id of the message: its field `idAt`, or the whole payload. */
  readonly id: unknown
  /** What happened, for the error message. */
  readonly reason: string
}

/** Options of the ledger. */
export interface LedgerOptions {
  readonly maxLagMs: number
  /** The most messages to remember. */
  readonly messages: number
}

interface Entry {
  readonly name: EventName
  readonly id: unknown
  readonly key: unknown
  readonly sequence: number
  /** How often the message was sent. */
  times: number
  /** The time of sending; `undefined` if it was not observed. */
  readonly at: number | undefined
  /** The subscribers that must get it, if known at publish. */
  readonly expected: readonly string[] | undefined
  readonly arrivals: Map<string, number>
}

/** The name of all subscribers of a bus that does not identify them. */
export const ANYONE = 'the subscriber'

/** Records sent messages and their arrivals per subscriber, and judges guarantees. */
export class Ledger {
  readonly delivered = new Map<string, number>()
  sent = 0
  forgotten = 0
  maxLagMs = 0

  readonly #options: LedgerOptions
  readonly #entries = new Map<EventName, Map<unknown, Entry>>()
  /** All entries in the order of sending. */
  readonly #all = new Set<Entry>()
  /** Per subscriber and key: the sequence number of the newest arrived message. */
  readonly #newest = new Map<string, Map<unknown, number>>()
  /** The first violation of each guarantee that is judged at arrival. */
  readonly #first = new Map<Guarantee, Violation>()
  #sequence = 0

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  send(name: EventName, id: unknown, key: unknown, at: number, expected: readonly string[] | undefined): void {
    this.sent += 1
    const known = this.#entries.get(name)?.get(id)
    if (known !== undefined) known.times += 1
    else this.#enter(name, id, key, at, expected)
  }

  arrive(name: EventName, id: unknown, key: unknown, at: number, subscriber: string): void {
    this.delivered.set(subscriber, (this.delivered.get(subscriber) ?? 0) + 1)
    const entry = this.#entries.get(name)?.get(id) ?? this.#enter(name, id, key, undefined, undefined)
    const arrivals = (entry.arrivals.get(subscriber) ?? 0) + 1
    entry.arrivals.set(subscriber, arrivals)
    if (arrivals > entry.times)
      this.#note(
        'at-most-once',
        entry,
        subscriber,
        `arrived ${arrivals} times and was sent ${entry.times === 1 ? 'once' : `${entry.times} times`}`,
      )
    if (arrivals > 1) return
    this.#judgeOrder(entry, subscriber)
    if (entry.at === undefined) return
    const lagMs = at - entry.at
    this.maxLagMs = Math.max(this.maxLagMs, lagMs)
    if (lagMs > this.#options.maxLagMs)
      this.#note('bounded-lag', entry, subscriber, `arrived after ${lagMs.toFixed(0)} ms`)
  }

  /** The first violation of a guarantee so far. */
  violation(guarantee: Guarantee, now: number): Violation | undefined {
    const shown = this.#first.get(guarantee)
    switch (guarantee) {
      case 'at-most-once':
      case 'in-order':
        return shown
      case 'at-least-once':
        return this.#missing(
          guarantee,
          () => true,
          () => 'never arrived',
        )
      case 'exactly-once': {
        const violation = this.violation('at-most-once', now) ?? this.violation('at-least-once', now)
        return violation === undefined ? undefined : { ...violation, guarantee }
      }
      case 'bounded-lag': {
        const isLate = ({ at }: Entry): boolean => at !== undefined && now - at > this.#options.maxLagMs
        return (
          shown ??
          this.#missing(guarantee, isLate, ({ at = now }) => `has not arrived after ${(now - at).toFixed(0)} ms`)
        )
      }
    }
  }

  #enter(
    name: EventName,
    id: unknown,
    key: unknown,
    at: number | undefined,
    expected: readonly string[] | undefined,
  ): Entry {
    const entry: Entry = { name, id, key, sequence: (this.#sequence += 1), times: 1, at, expected, arrivals: new Map() }
    const ofName = this.#entries.get(name) ?? new Map<unknown, Entry>()
    this.#entries.set(name, ofName.set(id, entry))
    this.#all.add(entry)
    if (this.#all.size > this.#options.messages) this.#forgetOldest()
    return entry
  }

  #forgetOldest(): void {
    const [oldest] = this.#all
    if (oldest === undefined) return
    this.forgotten += 1
    this.#all.delete(oldest)
    const ofName = this.#entries.get(oldest.name)
    ofName?.delete(oldest.id)
    if (ofName?.size === 0) this.#entries.delete(oldest.name)
    // Every message that is still known was sent later, so none can be behind the forgotten one.
    for (const newest of this.#newest.values())
      if (newest.get(oldest.key) === oldest.sequence) newest.delete(oldest.key)
  }

  #judgeOrder(entry: Entry, subscriber: string): void {
    const ofSubscriber = this.#newest.get(subscriber) ?? new Map<unknown, number>()
    this.#newest.set(subscriber, ofSubscriber)
    const newest = ofSubscriber.get(entry.key) ?? 0
    if (entry.sequence < newest)
      this.#note(
        'in-order',
        entry,
        subscriber,
        `arrived after message ${newest} of its key, and was sent before it, as message ${entry.sequence}`,
      )
    else ofSubscriber.set(entry.key, entry.sequence)
  }

  #note(guarantee: Guarantee, { name, id }: Entry, subscriber: string, reason: string): void {
    if (!this.#first.has(guarantee)) this.#first.set(guarantee, { guarantee, subscriber, name, id, reason })
  }

  /** The first message that a subscriber should have got and did not get. */
  #missing(
    guarantee: Guarantee,
    isDue: (entry: Entry) => boolean,
    reason: (entry: Entry) => string,
  ): Violation | undefined {
    for (const entry of this.#all) {
      if (!isDue(entry)) continue
      const { name, id, arrivals, times, expected = arrivals.size === 0 ? [ANYONE] : [] } = entry
      const missing = expected.find((subscriber) => (arrivals.get(subscriber) ?? 0) < times)
      if (missing !== undefined) return { guarantee, subscriber: missing, name, id, reason: reason(entry) }
    }
    return undefined
  }
}
