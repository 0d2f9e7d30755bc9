import type { Plan } from '../plan/plan.js'
import type { InstanceOutcome } from './outcomes.js'

/**
 * Why a run ended.
 *
 * - `max-duration`, `limit-spent`: the fault ended by itself in every instance, as planned.
 * - `completed`: an instant fault is done in every instance.
 * - `stopped`: its controller was asked to.
 * - `halted`: somebody called a halt.
 * - `not-permitted`: the window in which runs are permitted has closed.
 * - `lost`: the engine does not hold the run any more, or did not answer for a lease.
 * - `rollout`: many instances were replaced meanwhile.
 * - `too-few`: the fault was cut short in so many instances that fewer than the quorum were left.
 * - `refused`: it did not begin.
 */
export type RunEnd =
  | 'max-duration'
  | 'limit-spent'
  | 'completed'
  | 'stopped'
  | 'halted'
  | 'not-permitted'
  | 'lost'
  | 'rollout'
  | 'too-few'
  | 'refused'

/** A run over a fleet. Times are those of the controller's clock, in ms since the epoch. */
export interface RunState {
  readonly plan: Plan
  /** `preparing`: nobody is affected. `ending`: the run is closed, and instances may still be reverting. */
  readonly status: 'preparing' | 'active' | 'ending' | 'ended'
  readonly end: RunEnd | undefined
  /** The reason of an end that was not planned, in words. */
  readonly why: string | undefined
  readonly openedAt: number
  /** When the instances were told to begin. */
  readonly activeAt: number | undefined
  /** When the fault first had an effect in an instance, at the latest: reckoned from the answers of the agents. */
  readonly landedAt: number | undefined
  /** When every instance was whole: by its own word, or because its lease had ended. */
  readonly endedAt: number | undefined
  readonly instances: readonly InstanceOutcome[]
}

/** What happened in a run. */
export type RunEvent =
  | { readonly type: 'opened' | 'active' | 'landed' | 'ending' | 'ended'; readonly state: RunState }
  | {
      readonly type: 'instance'
      readonly before: InstanceOutcome
      readonly now: InstanceOutcome
      readonly state: RunState
    }
