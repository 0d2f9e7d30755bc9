import timers from 'node:timers'
import { builtin } from './builtin.js'

// Copies: fake timers replace the members of the module, and a named import would follow them.
const { setTimeout: startTimer, clearTimeout: stopTimer, setImmediate: startImmediate } = builtin('node:timers', timers)
const { hrtime } = process
const loadedAt = hrtime()
const loadedAtMs = Date.now()

/** Monotonic time since this module was loaded, in ms. */
function elapsed(): number {
  const [seconds, nanoseconds] = hrtime(loadedAt)
  return seconds * 1_000 + nanoseconds / 1_000_000
}

/** Runs work as a microtask. Fake timers do not affect it. */
export const soon = queueMicrotask

/** Waits for one turn of the event loop, in which pending microtasks run. Fake timers do not affect it. */
export const turn = (): Promise<void> => new Promise((resolve) => startImmediate(resolve))

/** The longest delay of a Node.js timer, in ms: 2^31 - 1. Node.js fires a longer one after 1 ms. */
export const MAX_TIMER_MS = 2_147_483_647

/** Cancels scheduled work. Does nothing if the work has run. */
export type Cancel = () => void

/** The source of time for leases, delays and timestamps. Pass your own to control time in tests. */
export interface Clock {
  /** Milliseconds since the epoch, monotonic. */
  now(): number
  /**
   * Runs `work` once, no earlier than `delayMs` from now.
   *
   * @param options.ref Whether the timer keeps the process alive. Default `true`.
   */
  after(delayMs: number, work: () => void, options?: { readonly ref?: boolean }): Cancel
}

/** Work whose timer fired early, and that waits for the rest of its delay. */
interface Waiting {
  readonly dueAt: number
  readonly run: () => void
}

const waiting = new Set<Waiting>()

/** Runs what waits and was due before some work, so that of two equal delays the first one ends first. */
function runDueBefore(dueAt: number): void {
  for (const one of [...waiting]) {
    if (one.dueAt > dueAt) continue
    try {
      one.run()
    } catch (error) {
      soon(() => {
        throw error
      })
    }
  }
}

/**
 * The real clock. It captures the timer functions when this module is loaded, so fake timers that a test runner installs
 * later neither freeze a lease nor fire it.
 *
 * It never fires early. A Node.js timer counts from the event loop's cached time and may fire before its delay has
 * passed; the clock then waits for the rest.
 */
export const systemClock: Clock = {
  now: () => loadedAtMs + elapsed(),
  after(delayMs, work, { ref = true } = {}) {
    const dueAt = elapsed() + delayMs
    let timer: NodeJS.Timeout
    const wait = (ms: number): void => {
      // A longer delay is waited for in parts: Node.js would fire it after 1 ms, with a warning.
      timer = startTimer(fire, Math.min(ms, MAX_TIMER_MS))
      if (!ref) timer.unref()
    }
    const cancel = (): void => {
      waiting.delete(entry)
      stopTimer(timer)
    }
    const entry: Waiting = {
      dueAt,
      run() {
        cancel()
        work()
      },
    }
    const fire = (): void => {
      const left = dueAt - elapsed()
      if (left > 0) {
        waiting.add(entry)
        wait(Math.ceil(left))
        return
      }
      if (waiting.size > 0) {
        waiting.delete(entry)
        runDueBefore(dueAt)
      }
      work()
    }
    wait(delayMs)
    return cancel
  },
}
