import type { SignedPlan } from '../plan/plan.js'

/** The plan that an instance has. A plan never changes, and it is long, so it is read once. */
export interface KnownPlan {
  readonly runId: string
  readonly signed: SignedPlan
}
