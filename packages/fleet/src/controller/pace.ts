import type { Clock } from '@chaos/core'

/** The shortest pause between two looks at the answers, in ms. */
const SOONEST_MS = 10

/** The pace at which a run looks at the answers of its agents. */
export interface Pace {
  /** The agents are asked for something now, and the run waits for it. */
  ask(): void
  /** The run waits for nothing. */
  rest(): void
  /**
   * Waits for a beat, or until {@link wake}. While the agents are expected to answer, it waits for a fifth of the time since they
   * were asked, so that a run begins and ends as fast as they do.
   */
  pause(): Promise<void>
  /** There is something to look at: a wake-up of the engine, an answer, the end. */
  wake(): void
}

/** Makes the pace of a run, whose agents have been asked for something now. @param beatMs The longest pause, in ms. */
export function paceOf(clock: Clock, beatMs: number): Pace {
  let askedAt: number | undefined = clock.now()
  let wake = (): void => undefined
  return {
    ask() {
      askedAt = clock.now()
    },
    rest() {
      askedAt = undefined
    },
    pause() {
      return new Promise((resolve) => {
        const delayMs = askedAt === undefined ? beatMs : Math.max(SOONEST_MS, (clock.now() - askedAt) / 5)
        const cancel = clock.after(Math.min(beatMs, delayMs), resolve)
        wake = () => {
          cancel()
          resolve()
        }
      })
    },
    wake: () => wake(),
  }
}
