import { onAbort, type Clock } from '@chaos/core'

/** Waits for what is recorded. */
export interface Waiting {
  /** Waits until something is so, the time is up, or the run is over. @returns Whether it is so, and the run not over. */
  readonly until: (isSo: () => boolean, deadline: number) => Promise<boolean>
  /** Something was recorded: who waits looks again. */
  readonly changed: () => void
}

/** @param over Aborts when the run is over. */
export function waiting(clock: Clock, over: AbortSignal): Waiting {
  const looks = new Set<() => void>()
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
      for (const look of [...looks]) look()
    },
  }
}
