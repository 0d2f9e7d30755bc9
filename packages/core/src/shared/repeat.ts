import type { Cancel } from '../basics/clock.js'
import type { InjectionContext } from '../fault/fault.js'

/**
 * Does work every so many ms, the first time after one such span, until the injection ends. Keeps no process alive. Work that throws is done
 * again the next time: the application's code may fail while its target is away, and no caller waits for this timer.
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
      // Next time.
    }
  }
  wait()
  defer(() => cancel())
}
