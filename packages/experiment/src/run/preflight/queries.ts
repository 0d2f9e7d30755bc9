import { systemClock } from '@chaos/core'
import { shown } from '../../shared/answer.js'
import type { Experiment, PrometheusProbe } from '../../model/experiment.js'
import { refusalOf } from '../../probes/prometheus-query.js'
import { timeoutOf } from '../../probes/read.js'
import { withTimeout } from '../../shared/time.js'

/**
 * Why a Prometheus rejects a query of an experiment. `undefined`: each Prometheus that answers now accepts its queries. A query that is only asked at
 * the end of a run, or only when another has no result, would otherwise fail after something was broken.
 */
export async function queryProblem({ steadyState, guardrails, afterwards }: Experiment): Promise<string | undefined> {
  const probes = [...steadyState.probes, ...guardrails, ...afterwards].flatMap((probe) =>
    probe.type === 'prometheus' ? [probe] : [],
  )
  const problems = await Promise.all(
    probes.flatMap((probe) => [problemOf(probe, 'query'), problemOf(probe, 'existsQuery')]),
  )
  return problems.find((problem) => problem !== undefined)
}

async function problemOf(probe: PrometheusProbe, which: 'query' | 'existsQuery'): Promise<string | undefined> {
  const { name, url, [which]: query } = probe
  if (query === undefined) return undefined
  // What cannot be reached may be there when it is read.
  const refusal = await withTimeout(systemClock, timeoutOf(probe), (signal) => refusalOf(url, query, signal)).catch(
    () => undefined,
  )
  return refusal === undefined
    ? undefined
    : `The Prometheus at ${url} rejects the \`${which}\` of ${name}: ${shown(refusal)}. Correct the query.`
}
