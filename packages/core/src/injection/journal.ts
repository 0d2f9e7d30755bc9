import { channel } from 'node:diagnostics_channel'
import { reportUncaught } from '../basics/report-uncaught.js'
import type { InjectionState } from './injection.js'

/** One thing that happened. `at` is in ms since the epoch. */
export type JournalEntry =
  | { readonly type: 'armed' | 'landed' | 'ended'; readonly at: number; readonly injection: InjectionState }
  | {
      readonly type: 'hit'
      readonly at: number
      readonly id: string
      readonly operation: string
      readonly call: number
    }
  | { readonly type: 'warning'; readonly at: number; readonly id: string; readonly message: string }

/** Entries of the injections' life cycles: {@link JournalEntry} of every type but `hit`. */
export const LIFE_CYCLE_CHANNEL = 'chaos.injection'
/** {@link JournalEntry} of type `hit`. */
export const HIT_CHANNEL = 'chaos.hit'

const lifeCycle = channel(LIFE_CYCLE_CHANNEL)
const hits = channel(HIT_CHANNEL)

/** What happened, in order, as data; the oldest entries leave first. */
export interface Journal {
  readonly entries: readonly JournalEntry[]
  /** Entries that had to leave because the journal was full. */
  readonly dropped: number
}

/** Follows a journal. @returns Stops following. */
export type Follow = (listener: (entry: JournalEntry) => void) => () => void

/** A bounded journal that also publishes on `diagnostics_channel`. Passes are counters, never entries. */
export class JournalWriter implements Journal {
  readonly #capacity: number
  readonly #listeners = new Set<(entry: JournalEntry) => void>()
  #entries: JournalEntry[] = []
  #start = 0
  dropped = 0

  /** @param capacity Entries kept. Default 1,000. */
  constructor(capacity = 1_000) {
    this.#capacity = capacity
  }

  get entries(): readonly JournalEntry[] {
    return this.#entries.slice(this.#start)
  }

  readonly follow: Follow = (listener) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  write(entry: JournalEntry): void {
    this.#entries.push(entry)
    if (this.#entries.length - this.#start > this.#capacity) {
      this.#start += 1
      this.dropped += 1
      // Cutting in bulk keeps a write O(1) on average.
      if (this.#start === this.#capacity) {
        this.#entries = this.#entries.slice(this.#start)
        this.#start = 0
      }
    }
    const published = entry.type === 'hit' ? hits : lifeCycle
    if (published.hasSubscribers) published.publish(entry)
    if (this.#listeners.size === 0) return
    // Those that follow now: a listener may have another one follow in its place.
    for (const listener of [...this.#listeners]) {
      try {
        listener(entry)
      } catch (error) {
        reportUncaught(error)
      }
    }
  }
}
