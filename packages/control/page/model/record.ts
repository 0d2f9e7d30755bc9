import type { AppEvent, InjectionState, JournalEntry } from '../data/types.js'

/** What happens in the life of an injection. */
export type LifeEvent = 'armed' | 'landed' | 'renewed' | 'ended'

/** One event of the timeline. */
export type Moment =
  | { readonly type: LifeEvent; readonly at: number; readonly injection: InjectionState }
  | { readonly type: 'hits'; readonly at: number; readonly id: string; count: number; readonly operation: string }
  | { readonly type: 'warning'; readonly at: number; readonly id: string; readonly text: string }
  | { readonly type: 'app'; readonly at: number; readonly event: AppEvent }
  | { readonly type: 'page'; readonly at: number; readonly text: string }

/** What happened since the page was opened, oldest first. Hits of one injection in one second are one moment. */
export interface TimelineRecord {
  takeEntry(entry: JournalEntry): void
  /** Takes from a list of all injections what no entry has told: what was armed before, or ended meanwhile. */
  takeStates(states: readonly InjectionState[]): void
  takeAppEvent(event: AppEvent): void
  /** Records what the page itself did: it lost the connection, hits were dropped. */
  note(at: number, text: string): void
  readonly moments: readonly Moment[]
  /** The number of oldest moments that were dropped. */
  readonly dropped: number
}

/** The most moments that the page keeps. */
export const MAX_MOMENTS = 10_000
/** The most injections of which the record knows whether they have ended. */
const MAX_KNOWN = 2_000

export function timelineRecord(maxMoments = MAX_MOMENTS): TimelineRecord {
  let moments: Moment[] = []
  let dropped = 0
  /** The moment that counts the hits of an injection in the current second. */
  let counting = new Map<string, Extract<Moment, { type: 'hits' }>>()
  let second = 0
  /** Whether each injection has ended, as far as the record tells. */
  const told = new Map<string, boolean>()

  function add(moment: Moment): void {
    moments.push(moment)
    // Removing many at once keeps the average cost constant.
    if (moments.length < maxMoments * 1.1) return
    dropped += moments.length - maxMoments
    moments = moments.slice(-maxMoments)
  }

  function count(id: string, operation: string, at: number): void {
    if (Math.floor(at / 1_000) !== second) {
      second = Math.floor(at / 1_000)
      counting = new Map()
    }
    const known = counting.get(id)
    if (known !== undefined) {
      known.count += 1
      return
    }
    const moment: Extract<Moment, { type: 'hits' }> = { type: 'hits', at, id, operation, count: 1 }
    counting.set(id, moment)
    add(moment)
  }

  function tell(type: LifeEvent, at: number, injection: InjectionState): void {
    add({ type, at, injection })
    told.set(keyOf(injection), type === 'ended')
    if (told.size > MAX_KNOWN) for (const key of [...told.keys()].slice(0, MAX_KNOWN / 2)) told.delete(key)
  }

  return {
    takeEntry(entry) {
      if (entry.type === 'hit') count(entry.id, entry.operation, entry.at)
      else if (entry.type === 'warning')
        add({ type: 'warning', at: entry.at, id: entry.id, text: entry.message.slice(0, 1_000) })
      else tell(entry.type, entry.at, entry.injection)
    },
    takeStates(states) {
      for (const state of states) {
        const hasEnded = state.status === 'ended'
        const known = told.get(keyOf(state))
        if (known === undefined && !hasEnded) tell('armed', state.armedAt, state)
        else if (known !== true && hasEnded) tell('ended', state.endedAt ?? state.leaseEndsAt, state)
      }
    },
    takeAppEvent: (event) => add({ type: 'app', at: event.at, event }),
    note: (at, text) => add({ type: 'page', at, text }),
    get moments() {
      return moments.slice(-maxMoments)
    },
    get dropped() {
      return dropped + Math.max(0, moments.length - maxMoments)
    },
  }
}

const keyOf = ({ id, armedAt }: InjectionState): string => `${id} ${armedAt}`
