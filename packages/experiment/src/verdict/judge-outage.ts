import type { Experiment } from '../model/experiment.js'
import type { Evidence } from '../evidence/evidence.js'
import { seconds } from './words.js'

/** How much earlier than planned a fault may end, in ms, since two clocks measure it. */
const MAX_EARLY_MS = 250

/**
 * Why the outage was shorter than the experiment requires: something outside this run ended a fault early. A spent
 * `limit` is intended. `undefined`: no fault ended early.
 */
export function outageProblem({ method }: Experiment, { injections }: Evidence): string | undefined {
  const steps = method.flatMap((step) => ('inject' in step ? [step.inject] : []))
  for (const [index, { kind, fault, outcome, armedAt, endedAt, leaseMs }] of injections.entries()) {
    if (kind !== 'standing' || outcome === 'limit-spent' || endedAt === undefined) continue
    const plannedMs = Math.min(leaseMs, steps[index]?.forMs ?? leaseMs)
    if (endedAt - armedAt < plannedMs - MAX_EARLY_MS)
      return `${fault} ended after ${seconds(endedAt - armedAt)} instead of ${seconds(plannedMs)}: something outside this run stopped it.`
  }
  return undefined
}
