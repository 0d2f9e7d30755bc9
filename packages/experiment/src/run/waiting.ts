import { type Clock } from '@chaos/core'
import { onAbort } from '@chaos/core/authoring'

/** Waits for conditions on the recorded evidence. */
export interface Waiting {
  /**
   * Waits until a condition is met, the deadline passes, or the run ends.
   *
   * @returns Whether it is met and the run not over.
   */
  readonly until: (isMet: () => boolean, deadline: number) => Promise<boolean>
  /** Reports that something was recorded. Waiters check their conditions again, in long runs after a short delay. */
  readonly changed: () => void
}

/**
 * A check scans all recorded evidence. In a run that is older than this, in ms, two checks are at least a thousandth of
 * its age apart, so that the total cost of checking stays proportional to the evidence.
 */
const YOUNG_MS = 60_000
const LOOKS_PER_AGE = 1_000

/** @param over Aborts when the run is over. */
export function waiting(clock: Clock, over: AbortSignal): Waiting {
  const looks = new Set<() => void>()
  const startedAt = clock.now()
  let lookedAt = startedAt
  let cancelNext: (() => void) | undefined
  const lookAll = (): void => {
    cancelNext = undefined
    lookedAt = clock.now()
    for (const look of [...looks]) look()
  }
  onAbort(over, () => cancelNext?.())
  return {
    until: (isMet, deadline) =>
      new Promise((resolve) => {
        const finish = (): void => {
          looks.delete(look)
          cancel()
          ignoreOver()
          resolve(!over.aborted && isMet())
        }
        const look = (): void => {
          if (isMet()) finish()
        }
        const cancel = clock.after(Math.max(0, deadline - clock.now()), finish)
        const ignoreOver = onAbort(over, finish)
        looks.add(look)
        if (over.aborted) finish()
        else look()
      }),
    changed: () => {
      if (looks.size === 0 || cancelNext !== undefined) return
      const ageMs = clock.now() - startedAt
      const dueAt = ageMs < YOUNG_MS ? 0 : lookedAt + ageMs / LOOKS_PER_AGE
      if (clock.now() >= dueAt) lookAll()
      else cancelNext = clock.after(dueAt - clock.now(), lookAll)
    },
  }
}
