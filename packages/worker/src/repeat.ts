import type { Cancel, InjectionContext } from '@chaos/core'

/** Does something every so many ms, the first time after one such span, until the injection ends. Keeps no process alive. */
export function repeat({ clock, defer }: InjectionContext, everyMs: number, work: () => void): void {
  let cancel: Cancel
  const wait = (): void => {
    cancel = clock.after(everyMs, again, { ref: false })
  }
  const again = (): void => {
    wait()
    work()
  }
  wait()
  defer(() => cancel())
}

/** An operation that takes so long: an injection that has spent its limit on it ends no sooner than it is over. */
export function lastFor({ hold }: InjectionContext, ms: number): void {
  hold({ afterMs: ms, run: () => undefined })
}
