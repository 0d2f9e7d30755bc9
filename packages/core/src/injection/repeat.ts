import type { Cancel } from '../basics/clock.js'
import type { InjectionContext } from '../fault/fault.js'

/**
 * Does something every so many ms, the first time after one such span, until the injection ends. Keeps no process alive. An error that the work throws is
 * ignored, and the work is tried again the next time: a function that is the target may fail while nothing is there.
 */
export function repeat(
  { clock, defer }: Pick<InjectionContext, 'clock' | 'defer'>,
  everyMs: number,
  work: () => void,
): void {
  let cancel: Cancel
  const wait = (): void => {
    cancel = clock.after(everyMs, again, { ref: false })
  }
  const again = (): void => {
    wait()
    try {
      work()
    } catch {
      // Tried again the next time.
    }
  }
  wait()
  defer(() => cancel())
}

/** Marks an operation that lasts so many ms: an injection whose limit it has spent does not end before. */
export function lastFor({ hold }: InjectionContext, ms: number): void {
  hold({ afterMs: ms, run: () => undefined })
}
