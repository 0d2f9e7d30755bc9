import { ChaosError } from '@chaos/core'
import { check } from './check.js'
import { experimentSchema, type Experiment, type ExperimentInput } from './experiment.js'

/**
 * Checks an experiment written in TypeScript or JavaScript, and fills in its defaults.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT`, naming every problem
 */
export function defineExperiment(input: ExperimentInput): Experiment {
  const result = check(experimentSchema, input)
  if ('experiment' in result) return result.experiment
  const problems = result.problems.map(({ path, message }) => `  ${path.length === 0 ? '' : `${path.join('.')}: `}${message}`)
  throw new ChaosError('CHAOS_INVALID_EXPERIMENT', ['The experiment is not valid:', ...problems].join('\n'))
}
