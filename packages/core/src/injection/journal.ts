import { channel } from 'node:diagnostics_channel'
import { reportUncaught } from '../basics/report-uncaught.js'
import type { InjectionState } from './injection.js'

/** An event in the life of an injection. `at` is in ms since the epoch. `renewed`: its lease ends earlier or later than before. */
export type JournalEntry =
  | {
      readonly type: 'armed' | 'landed' | 'renewed' | 'ended'
      readonly at: number
      readonly injection: InjectionState
    }
  | {
      readonly type: 'hit'
      readonly at: number
      readonly id: string
      readonly operation: string
      readonly call: number
      /** The path of the scope of the call, if the injection is for a scope. */
      readonly scope?: string
    }
  | { readonly type: 'warning'; readonly at: number; readonly id: string; readonly message: string }

/** The `diagnostics_channel` for every {@link JournalEntry} except hits. */
export const LIFE_CYCLE_CHANNEL = 'chaos.injection'
/** The `diagnostics_channel` for every {@link JournalEntry} of type `hit`. */
export const HIT_CHANNEL = 'chaos.hit'

const lifeCycle = channel(LIFE_CYCLE_CHANNEL)
const hits = channel(HIT_CHANNEL)

/** The record of injections, oldest entry first. It keeps the last 1,000 entries. */
export interface Journal {
  readonly entries: readonly JournalEntry[]
  /** The number of old entries that were removed because the journal was full. */
  readonly dropped: number
}

/** Calls `listener` with every new entry of a journal. @returns A function that stops following. */
export type Follow = (listener: (entry: JournalEntry) => void) => () => void

/** A bounded journal that also publishes its entries on `diagnostics_channel`. Calls that pass get no entries; they are only counted. */
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
      // Removing old entries in bulk keeps the average cost of a write constant.
      if (this.#start === this.#capacity) {
        this.#entries = this.#entries.slice(this.#start)
        this.#start = 0
      }
    }
    const published = entry.type === 'hit' ? hits : lifeCycle
    if (published.hasSubscribers) published.publish(entry)
    if (this.#listeners.size === 0) return
    // A copy, since a listener may add another one.
    for (const listener of [...this.#listeners]) {
      try {
        listener(entry)
      } catch (error) {
        reportUncaught(error)
      }
    }
  }
}
