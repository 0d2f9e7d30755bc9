import { once, type EventEmitter } from 'node:events'

/** `method`: the run begins its method. `landed` and `ended`: of the first fault, as the app's own controller says. */
export type Moment = 'method' | 'landed' | 'ended'

/** When it is time to act. */
export interface Moments {
  /** Whether this moment has come. */
  readonly has: (moment: Moment) => boolean
  /** Calls once, when the moment comes; at once if it has. `afterMs` later, if given. */
  readonly at: (moment: Moment, act: () => unknown, afterMs?: number) => void
}

/** Moments that are told by events of their names. */
export function momentsOf(source: EventEmitter): Moments {
  const past = new Set<Moment>()
  const coming = new Map(
    (['method', 'landed', 'ended'] as const).map((moment) => [
      moment,
      once(source, moment).then(() => void past.add(moment)),
    ]),
  )
  return {
    has: (moment) => past.has(moment),
    at: (moment, act, afterMs = 0) =>
      void coming.get(moment)?.then(() => (afterMs === 0 ? act() : setTimeout(act, afterMs).unref())),
  }
}
