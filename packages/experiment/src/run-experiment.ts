import { systemClock } from '@chaos/core/authoring'
import type { Experiment } from './model/experiment.js'
import { withVariables } from './model/variables.js'
import { gatherEvidence, type RunOptions } from './run/gather-evidence.js'
import { judge } from './verdict/judge.js'
import type { ExperimentResult } from './verdict/result.js'

/**
 * Runs an experiment and judges it by its evidence.
 *
 * Whatever happens, no fault of the run is in force when this returns.
 *
 * @throws ChaosError `CHAOS_EXPERIMENT_REFUSED` for an experiment that cannot pass, `CHAOS_INVALID_EXPERIMENT` for a variable without a value;
 *   nothing has been broken then. Rejects as well when the controller cannot be reached at the start.
 */
export async function runExperiment(given: Experiment, options: RunOptions): Promise<ExperimentResult> {
  const experiment = withVariables(given, options.variables ?? {})
  const evidence = await gatherEvidence(experiment, options)
  const verdict = judge(experiment, evidence)
  const { clock = systemClock } = options
  try {
    options.onEvent?.({ type: 'phase', at: clock.now(), phase: 'done', detail: `${verdict.name}: ${verdict.cause}` })
  } catch {
    // The run is over: a listener that fails now changes nothing about it.
  }
  return { title: experiment.title, description: experiment.description, experiment, evidence, verdict }
}
