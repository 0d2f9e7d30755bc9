import { type Clock } from '@chaos/core'
import { onAbort } from '@chaos/core/authoring'

/** Waits for what is recorded. */
export interface Waiting {
  /** Waits until something is so, the time is up, or the run is over. @returns Whether it is so, and the run not over. */
  readonly until: (isSo: () => boolean, deadline: number) => Promise<boolean>
  /** Something was recorded: who waits looks again, in a run of more than a minute perhaps a moment later. */
  readonly changed: () => void
}

/**
 * A look goes through everything that was recorded. In a run older than this, in ms, looks are a thousandth of its age apart, so that all looks
 * together stay in proportion to what is recorded.
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
    until: (isSo, deadline) =>
      new Promise((resolve) => {
        const finish = (): void => {
          looks.delete(look)
          cancel()
          ignoreOver()
          resolve(!over.aborted && isSo())
        }
        const look = (): void => {
          if (isSo()) finish()
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
