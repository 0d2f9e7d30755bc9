import type { HitEntry, InjectionState, JournalEntry } from '../data/types.js'
import { rateWindow, type RateWindow } from './rate-window.js'

/** An injection as the page knows it. */
export interface Tracked {
  readonly key: string
  state: InjectionState
  /** The last hits, newest first. */
  readonly lastHits: HitEntry[]
  readonly rate: RateWindow
  readonly warnings: string[]
  /** How many snapshots in a row did not list it. */
  missed: number
}

/** The injections of the process, bounded. */
export interface Injections {
  /** Takes an entry of the journal. */
  take(entry: JournalEntry): void
  /** Takes the list of all injections. */
  replace(states: readonly InjectionState[]): void
  /** Those that have not ended, newest first. */
  readonly live: readonly Tracked[]
  /** The most recently ended ones, newest first. */
  readonly ended: readonly Tracked[]
}

const MAX_LAST_HITS = 5
const MAX_WARNINGS = 10
/** The most injections that have ended, and that are in force, on the page. */
export const MAX_ENDED = 50
const MAX_LIVE = 500

export function trackInjections(): Injections {
  const all = new Map<string, Tracked>()
  /** The newest injection of each id: an id can be used again. */
  const newest = new Map<string, Tracked>()

  function put(state: InjectionState): void {
    const key = `${state.id} ${state.armedAt}`
    const known = all.get(key)
    if (known !== undefined) {
      known.missed = 0
      // An answer that is older than an entry must not undo it.
      if (known.state.status !== 'ended' || state.status === 'ended') known.state = state
      return
    }
    const made: Tracked = { key, state, lastHits: [], rate: rateWindow(), warnings: [], missed: 0 }
    all.set(key, made)
    const other = newest.get(state.id)
    if (other === undefined || other.state.armedAt <= state.armedAt) newest.set(state.id, made)
  }

  function forget(tracked: Tracked): void {
    all.delete(tracked.key)
    if (newest.get(tracked.state.id) === tracked) newest.delete(tracked.state.id)
  }

  const byTime = (has: (tracked: Tracked) => boolean): Tracked[] =>
    [...all.values()].filter(has).sort((one, other) => other.state.armedAt - one.state.armedAt)
  const isLive = ({ state }: Tracked): boolean => state.status !== 'ended'
  const endedAt = ({ state }: Tracked): number => state.endedAt ?? state.armedAt
  const ended = (): Tracked[] =>
    byTime((tracked) => !isLive(tracked)).sort((one, other) => endedAt(other) - endedAt(one))

  function bound(): void {
    ended().slice(MAX_ENDED).forEach(forget)
    byTime(isLive).slice(MAX_LIVE).forEach(forget)
  }

  return {
    take(entry) {
      if (entry.type === 'hit') {
        const tracked = newest.get(entry.id)
        if (tracked === undefined) return
        tracked.rate.add(entry.at)
        tracked.lastHits.unshift(entry)
        tracked.lastHits.length = Math.min(tracked.lastHits.length, MAX_LAST_HITS)
      } else if (entry.type === 'warning') {
        const warnings = newest.get(entry.id)?.warnings
        if (warnings !== undefined && warnings.length < MAX_WARNINGS && !warnings.includes(entry.message))
          warnings.push(entry.message)
      } else {
        put(entry.injection)
        bound()
      }
    },
    replace(states) {
      for (const tracked of all.values()) tracked.missed += 1
      states.forEach(put)
      // One that was armed after the list was made is in the next list. One that two lists lack is gone.
      for (const tracked of all.values()) if (isLive(tracked) && tracked.missed > 1) forget(tracked)
      bound()
    },
    get live() {
      return byTime(isLive)
    },
    get ended() {
      return ended()
    },
  }
}
