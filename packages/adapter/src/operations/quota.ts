import type { InjectionContext } from '@chaos/core/authoring'

/** A number of operations per time window. */
export interface Quota {
  /**
   * Counts one operation.
   *
   * @returns Whether the quota of the window was spent already.
   */
  readonly isBeyond: () => boolean
  /** Returns the time until the next window, in ms. */
  readonly retryAfterMs: () => number
}

/** Makes a quota. A window begins with its first operation and lasts `perMs`. */
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
