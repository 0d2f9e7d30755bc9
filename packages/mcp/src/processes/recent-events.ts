import type { AppEvent } from '@chaos/control'
import type { JournalEntry } from '@chaos/core'
import { plain, bounded } from '../shared/bounded.js'

/** An event of a process, in short. */
export interface RecentEvent {
  /** ISO 8601, UTC, by the clock of the process. */
  readonly at: string
  readonly type: 'armed' | 'landed' | 'renewed' | 'ended' | 'hit' | 'warning' | 'app-event'
  readonly injection?: string
  readonly detail: unknown
}

/** The most events that are kept for one process. */
const MAX_EVENTS = 500
const MAX_DATE_MS = 8_640_000_000_000_000
const timeOf = (at: number): string => (Math.abs(at) <= MAX_DATE_MS ? new Date(at).toISOString() : 'unknown')

/** The latest events of one process, since the server connected to it. */
export class RecentEvents {
  #events: RecentEvent[] = []
  /** The number of older events that were removed. */
  dropped = 0

  add(event: RecentEvent): void {
    this.#events.push(event)
    if (this.#events.length <= MAX_EVENTS) return
    this.#events.shift()
    this.dropped += 1
  }

  /** The last events, oldest first, of one injection or of all. */
  last(limit: number, injection?: string): readonly RecentEvent[] {
    const fitting = injection === undefined ? this.#events : this.#events.filter((one) => one.injection === injection)
    return fitting.slice(-limit)
  }
}

/** A journal entry in short. */
export function eventOfEntry(entry: JournalEntry): RecentEvent {
  const at = timeOf(entry.at)
  if (entry.type === 'hit')
    return {
      at,
      type: 'hit',
      injection: plain(entry.id),
      detail: {
        operation: plain(entry.operation),
        call: entry.call,
        ...(entry.scope === undefined ? {} : { scope: plain(entry.scope) }),
      },
    }
  if (entry.type === 'warning')
    return { at, type: 'warning', injection: plain(entry.id), detail: plain(entry.message, 500) }
  const { id, fault, target, outcome, seen, affected } = entry.injection
  const counted = entry.type === 'ended' ? { outcome, seen, affected } : {}
  return {
    at,
    type: entry.type,
    injection: plain(id),
    detail: { fault: plain(fault), target: plain(target), ...counted },
  }
}

/** An event that the app sent, in short. */
export function eventOfApp({ at, topic, data }: AppEvent): RecentEvent {
  return {
    at: timeOf(at),
    type: 'app-event',
    detail: { topic: plain(topic), data: bounded(data, { maxText: 200, maxItems: 20, maxValues: 50 }) },
  }
}
