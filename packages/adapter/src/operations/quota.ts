import type { InjectionContext } from '@chaos/core/authoring'

/** How many operations are taken in each window of time. */
export interface Quota {
  /** Takes one more operation. @returns Whether the quota is spent */
  readonly isBeyond: () => boolean
  /** Time until the next window, in ms. */
  readonly retryAfterMs: () => number
}

/** Counts operations. A window begins with its first one, and is `perMs` long. */
export function quota(context: InjectionContext, operations: number, perMs: number): Quota {
  const { clock } = context
  let taken = 0
  let window: { readonly endsAt: number; readonly cancel: () => void } | undefined
  context.defer(() => window?.cancel())
  const onEnd = (): void => {
    taken = 0
    window = undefined
  }
  return {
    isBeyond() {
      window ??= { endsAt: clock.now() + perMs, cancel: clock.after(perMs, onEnd, { ref: false }) }
      if (taken >= operations) return true
      taken += 1
      return false
    },
    retryAfterMs: () => (window?.endsAt ?? 0) - clock.now(),
  }
}
