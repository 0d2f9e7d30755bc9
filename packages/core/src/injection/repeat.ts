import type { Cancel } from '@chaos/core'
import type { InjectionContext } from '@chaos/core/authoring'

/**
 * Does something every so many ms, the first time after one such span, until the injection ends. Keeps no process alive. Work that fails is tried again the next time: a
 * function that is the target may fail while nothing is there, and nobody of the application's hears our timer.
 */
export function repeat({ clock, defer }: InjectionContext, everyMs: number, work: () => void): void {
  let cancel: Cancel
  const wait = (): void => {
    cancel = clock.after(everyMs, again, { ref: false })
  }
  const again = (): void => {
    wait()
    try {
      work()
    } catch {
      // Next time.
    }
  }
  wait()
  defer(() => cancel())
}

/** An operation that takes so long: an injection that has spent its limit on it ends no sooner than it is over. */
export function lastFor({ hold }: InjectionContext, ms: number): void {
  hold({ afterMs: ms, run: () => undefined })
}
