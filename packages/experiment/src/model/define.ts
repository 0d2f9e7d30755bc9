import { ChaosError } from '@chaos/core'
import { check } from './check.js'
import { experimentSchema, type Experiment, type ExperimentInput } from './experiment.js'

/** The most problems that a message lists. */
const MAX_PROBLEMS = 50

/**
 * Checks an experiment written in TypeScript or JavaScript and fills in its defaults.
 *
 * @throws ChaosError `CHAOS_INVALID_EXPERIMENT` when the experiment is invalid. The message lists up to 50 problems.
 */
export function defineExperiment(input: ExperimentInput): Experiment {
  const result = check(experimentSchema, input)
  if ('experiment' in result) return result.experiment
  const problems = result.problems
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => `  ${path.length === 0 ? '' : `${path.join('.')}: `}${message}`)
  throw new ChaosError(
    'CHAOS_INVALID_EXPERIMENT',
    [
      'The experiment is not valid:',
      ...problems,
      ...(result.problems.length > MAX_PROBLEMS
        ? [`  and ${result.problems.length - MAX_PROBLEMS} more problems`]
        : []),
    ].join('\n'),
  )
}
