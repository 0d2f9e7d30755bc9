import { systemClock } from '@chaos/core'
import { shown } from '../answer.js'
import type { Experiment, PrometheusProbe } from '../model/experiment.js'
import { refusalOf } from '../probes/prometheus-query.js'
import { timeoutOf } from '../probes/read.js'
import { withTimeout } from '../time.js'

/**
 * Why a query of an experiment is none; `undefined`: each Prometheus takes what it is asked, as far as it answers now. A query that is asked at the
 * end, or where another has no result, would show it only once something is broken.
 */
export async function queryProblem({ steadyState, guardrails, afterwards }: Experiment): Promise<string | undefined> {
  const probes = [...steadyState.probes, ...guardrails, ...afterwards].flatMap((probe) => (probe.type === 'prometheus' ? [probe] : []))
  const problems = await Promise.all(probes.flatMap((probe) => [problemOf(probe, 'query'), problemOf(probe, 'existsQuery')]))
  return problems.find((problem) => problem !== undefined)
}

async function problemOf(probe: PrometheusProbe, which: 'query' | 'existsQuery'): Promise<string | undefined> {
  const { name, url, [which]: query } = probe
  if (query === undefined) return undefined
  // What cannot be reached may be there when it is read.
  const refusal = await withTimeout(systemClock, timeoutOf(probe), (signal) => refusalOf(url, query, signal)).catch(() => undefined)
  return refusal === undefined ? undefined : `${name} cannot be read: its \`${which}\` is none for the monitoring at ${url}: ${shown(refusal)}. Correct it.`
}
