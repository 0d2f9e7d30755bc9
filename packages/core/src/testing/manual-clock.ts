import { turn, type Clock } from '../basics/clock.js'

/** A clock whose time moves only when a test advances it. */
export interface ManualClock extends Clock {
  /** The number of scheduled callbacks. */
  readonly pending: number
  /** Moves time forward by `ms`. Runs scheduled callbacks in order, and lets promises settle in between. */
  advance(ms: number): Promise<void>
}

interface Timer {
  readonly dueAt: number
  readonly work: () => void
}

/** Makes a {@link ManualClock}. @param startAt The initial time, in ms since the epoch. Default 0. */
export function manualClock(startAt = 0): ManualClock {
  let now = startAt
  const timers = new Set<Timer>()
  const next = (until: number): Timer | undefined => {
    let first: Timer | undefined
    for (const timer of timers)
      if (timer.dueAt <= until && (first === undefined || timer.dueAt < first.dueAt)) first = timer
    return first
  }
  return {
    now: () => now,
    after(delayMs, work) {
      const timer = { dueAt: now + delayMs, work }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    get pending() {
      return timers.size
    },
    async advance(ms) {
      const until = now + ms
      await turn()
      for (let timer = next(until); timer !== undefined; timer = next(until)) {
        timers.delete(timer)
        now = Math.max(now, timer.dueAt)
        timer.work()
        await turn()
      }
      now = until
      await turn()
    },
  }
}
