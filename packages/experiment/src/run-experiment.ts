import { systemClock } from '@chaos/core/authoring'
import type { Experiment } from './model/experiment.js'
import { withVariables } from './model/variables.js'
import { gatherEvidence, type RunOptions } from './run/gather-evidence.js'
import { judge } from './verdict/judge.js'
import type { ExperimentResult } from './verdict/result.js'

/**
 * Runs an experiment and judges its evidence.
 *
 * When this function returns, every fault of the run has been stopped. If stopping failed, the verdict is
 * `rollback-failed`.
 *
 * @throws ChaosError `CHAOS_EXPERIMENT_REFUSED` when the experiment cannot pass, `CHAOS_INVALID_EXPERIMENT` when a
 *   variable has no value. Nothing has been broken in either case. Also rejects with the controller's error when the
 *   controller cannot be reached at the start.
 */
export async function runExperiment(given: Experiment, options: RunOptions): Promise<ExperimentResult> {
  const experiment = withVariables(given, options.variables ?? {})
  const evidence = await gatherEvidence(experiment, options)
  const verdict = judge(experiment, evidence)
  const { clock = systemClock } = options
  try {
    options.onEvent?.({ type: 'phase', at: clock.now(), phase: 'done', detail: `${verdict.name}: ${verdict.cause}` })
  } catch {
    // The run is over, so a failing listener no longer affects it.
  }
  return { title: experiment.title, description: experiment.description, experiment, evidence, verdict }
}
