import { systemClock } from '@chaos/core/authoring'
import { probesOf, type Experiment } from '../../model/experiment.js'
import { probeTypeOf, type Probe } from '../../probes/probe-types.js'
import { timeoutOf } from '../../probes/read.js'
import { withTimeout } from '../../shared/time.js'

/** Why a probe of an experiment can never be read. `undefined`: every server that answers now accepts the queries. */
export async function queryProblem(experiment: Experiment): Promise<string | undefined> {
  const problems = await Promise.all(probesOf(experiment).map(({ probe }) => refusalsOf(probe)))
  return problems.flat().find((problem) => problem !== undefined)
}

function refusalsOf(probe: Probe): Promise<readonly (string | undefined)[]> {
  const questions = probeTypeOf(probe).refusals?.(probe) ?? []
  // A server that cannot be reached now may answer during the run.
  return Promise.all(questions.map((ask) => withTimeout(systemClock, timeoutOf(probe), ask).catch(() => undefined)))
}
