import type { Clock, Injection } from '@chaos/core'
import { extendLease, MAX_TIMER_MS, systemClock } from '@chaos/core/authoring'

/** The lease of a toxic without one, in ms: 24.8 days. It is renewed. */
export const LONGEST_LEASE_MS = MAX_TIMER_MS

/** Renews the lease of an injection, made with {@link LONGEST_LEASE_MS}, until the injection ends. */
export function keepInForce(injection: Injection, clock: Clock = systemClock): void {
  let cancel = (): void => undefined
  const wait = (): void => {
    cancel = clock.after(
      LONGEST_LEASE_MS / 2,
      () => {
        if (extendLease(injection.id, LONGEST_LEASE_MS)) wait()
      },
      { ref: false },
    )
  }
  wait()
  void injection.done.then(() => cancel())
}
