import timers from 'node:timers'

// Copies, since fake timers replace members of modules too, and an import would follow them.
const { setTimeout: startTimer, clearTimeout: stopTimer, setImmediate: startImmediate } = timers
const { hrtime } = process
const loadedAt = hrtime()
const loadedAtMs = Date.now()

/** Time since this module was loaded, in ms, from a source that never runs backwards. */
function elapsed(): number {
  const [seconds, nanoseconds] = hrtime(loadedAt)
  return seconds * 1_000 + nanoseconds / 1_000_000
}

/** Runs work when the step under way is done, before anything else happens. Never a fake. */
export const soon = queueMicrotask

/** A turn of the event loop: every promise that can settle has settled. Never a fake. */
export const turn = (): Promise<void> => new Promise((resolve) => startImmediate(resolve))

/** The longest delay that fits a Node.js timer, in ms (2^31 - 1; a longer one would fire at once). */
export const MAX_TIMER_MS = 2_147_483_647

/** Cancels what was scheduled; harmless when it has already run. */
export type Cancel = () => void

/** Where the toolkit takes its time from. Pass a {@link Clock} of your own to move time by hand. */
export interface Clock {
  /** Milliseconds since the epoch, from a source that never runs backwards. */
  now(): number
  /**
   * Runs `work` once, not earlier than `delayMs` from now.
   *
   * @param options.ref Whether waiting keeps the process alive. Default `true`.
   */
  after(delayMs: number, work: () => void, options?: { readonly ref?: boolean }): Cancel
}

/**
 * The real clock. Its timers are the ones that were there when this module was loaded, so fake timers
 * that a test runner installs later neither freeze a lease nor fire it.
 *
 * Never early: a Node.js timer counts from the event loop's cached time and may fire before its delay has
 * passed; what is left is then waited for again.
 */
export const systemClock: Clock = {
  now: () => loadedAtMs + elapsed(),
  after(delayMs, work, { ref = true } = {}) {
    const dueAt = elapsed() + delayMs
    let timer: NodeJS.Timeout
    const wait = (ms: number): void => {
      // What is longer than fits a timer is waited for in parts: Node.js would fire at once, and warn each time.
      timer = startTimer(fire, Math.min(ms, MAX_TIMER_MS))
      if (!ref) timer.unref()
    }
    const fire = (): void => {
      const left = dueAt - elapsed()
      if (left > 0) wait(Math.ceil(left))
      else work()
    }
    wait(delayMs)
    return () => stopTimer(timer)
  },
}
