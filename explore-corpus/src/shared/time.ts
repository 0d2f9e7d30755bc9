import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'

/** The time that an app reads and waits for. */
export interface Time {
  now(): number
  sleep(ms: number): Promise<void>
}

/** Time that passes only while a test waits, so that a run takes no longer than its work and repeats exactly. */
export interface TestTime extends Time {
  /** The same time, for the faults. */
  readonly clock: Clock
  /**
   * Lets time pass until the work is done.
   *
   * @throws Error if the work is not done after 800 ms of this time.
   */
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** Lets time pass. */
  pass(ms: number): Promise<void>
  /** Leaves asleep who sleeps now: what hung in one run must not go on in the next. */
  reset(): void
}

const STEP_MS = 10
const PATIENCE_MS = 800

/**
 * Makes a {@link TestTime}.
 *
 * @param isBusy Whether real work is under way. No time passes before it has ended. Default: never.
 */
export function testTime(isBusy: () => boolean = () => false): TestTime {
  const clock = manualClock()
  let run = 0
  return {
    clock,
    now: () => clock.now(),
    sleep: (ms) =>
      new Promise((resolve) => {
        const own = run
        clock.after(ms, () => {
          if (run === own) resolve()
        })
      }),
    pass: (ms) => clock.advance(ms),
    reset: () => void (run += 1),
    async run(work) {
      let isDone = false
      const done = work().finally(() => {
        isDone = true
      })
      done.catch(() => undefined)
      const end = clock.now() + PATIENCE_MS
      const isWaiting = async (): Promise<boolean> => {
        await turn()
        return !isDone
      }
      while (await isWaiting()) {
        if (isBusy()) continue
        if (clock.now() >= end) throw new Error(`The work hangs: it is not done after ${PATIENCE_MS} ms.`)
        await clock.advance(STEP_MS)
      }
      return done
    },
  }
}
