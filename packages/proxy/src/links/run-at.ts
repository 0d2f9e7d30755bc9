import type { Cancel, Clock } from '@chaos/core'
import { builtin, MAX_TIMER_MS, systemClock } from '@chaos/core/authoring'
import importedTimers from 'node:timers'

// Copies: fake timers replace the members of the module.
const { setTimeout, clearTimeout, setImmediate, clearImmediate } = builtin('node:timers', importedTimers)

/** What a timer may be late. */
const TOLERANCE_MS = 0.1

/**
 * Runs work at a time of a clock: never early, never at once.
 *
 * A timer of Node.js counts whole ms of the time at which the turn of the event loop began, so it fires up to 1 ms early,
 * and a second timer for the rest would be up to 1 ms late. So the rest is waited for turn by turn, which costs CPU time
 * for less than 1 ms and keeps nothing else from running. A clock that is not the system's is asked for its own timer.
 */
export function runAt(clock: Clock, dueAt: number, work: () => void): Cancel {
  if (clock !== systemClock) return clock.after(Math.max(0, dueAt - clock.now()), work)
  let cancel: Cancel
  const wait = (leftMs: number): void => {
    if (leftMs + TOLERANCE_MS < 1) {
      const immediate = setImmediate(look)
      cancel = () => clearImmediate(immediate)
    } else {
      const timer = setTimeout(look, Math.min(Math.floor(leftMs + TOLERANCE_MS), MAX_TIMER_MS))
      cancel = () => clearTimeout(timer)
    }
  }
  const look = (): void => {
    const leftMs = dueAt - clock.now()
    if (leftMs > 0) wait(leftMs)
    else work()
  }
  wait(dueAt - clock.now())
  return () => cancel()
}
