import type { Cancel } from '../basics/clock.js'
import type { InjectionContext } from '../fault/fault.js'

/**
 * Runs `work` every `everyMs`, starting after the first `everyMs`, until the injection ends. The timer does not keep the
 * process alive. An error of `work` is ignored and the next run comes as usual: application code may fail while its target
 * is away, and there is no caller to report to.
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
      // Try again next time.
    }
  }
  wait()
  defer(() => cancel())
}
