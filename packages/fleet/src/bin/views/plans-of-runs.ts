import { parsePlan } from '../../plan/check-plan.js'
import type { Plan } from '../../plan/plan.js'
import type { RunView } from '../../transports/transport.js'

/** A run, with its plan. */
export interface ShownRun extends Omit<RunView, 'signed'> {
  /** `undefined`: its text is not a plan. No instance runs it then. */
  readonly plan: Plan | undefined
}

/** Reads the plans of runs. They are shown without a check of their signatures, which is the business of those who run them. */
export function plansOf(runs: readonly RunView[]): readonly ShownRun[] {
  return runs.map(({ signed, ...run }) => ({ ...run, plan: planIn(signed.text) }))
}

function planIn(text: string): Plan | undefined {
  try {
    return parsePlan(text)
  } catch {
    return undefined
  }
}
