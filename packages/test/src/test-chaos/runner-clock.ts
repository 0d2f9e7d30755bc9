import type { Clock } from '@chaos/core'

/**
 * A clock that follows the fake timers of the test runner: it looks timers and the date up whenever it needs them.
 *
 * By default the faults of a test use the real clock, which fake timers do not affect. With this one, a test that advances its fake
 * timers advances the delays and leases of its faults too.
 */
export function runnerClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, work, { ref = true } = {}) {
      const { setTimeout, clearTimeout } = globalThis
      const timer = setTimeout(work, delayMs)
      // The fake timers of a browser-like environment are numbers.
      if (!ref && typeof timer === 'object') timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
