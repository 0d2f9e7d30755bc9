import { inject, type Clock, type Injection, type InjectOptions } from '@chaos/core'
import { MAX_TIMER_MS } from '@chaos/core/authoring'
import type { Kind } from './kinds.js'
import type { TargetMap } from './options.js'

/** Reads the key of a call. */
export type KeyOf = ((args: ArrayLike<unknown>, operation: string, target: string) => string | undefined) | undefined

/** What faults are put in force with. */
export interface Setting {
  readonly targets: TargetMap
  readonly clock: Clock
  readonly keyOf: KeyOf
  /** Ends instant faults that are not done when the run ends. */
  readonly signal?: AbortSignal
}

/** Injects a fault for as long as the run lasts. */
export function injectForRun(
  { fault, target }: Kind,
  { targets, clock }: Setting,
  how: InjectOptions = {},
): Promise<Injection> {
  return inject(fault, targets[target] as object, { leaseMs: MAX_TIMER_MS, targetName: target, clock, ...how })
}
