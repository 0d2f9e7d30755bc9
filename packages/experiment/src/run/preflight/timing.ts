import { DEFAULT_LEASE_MS } from '@chaos/core/authoring'
import type { Experiment } from '../../model/experiment.js'
import { probeTypeOf, type Probe } from '../../probes/probe-types.js'
import { timeoutOf } from '../../probes/read.js'

/** Why the time limits of an experiment cannot work together; `undefined`: they can. What cannot be observed in its budget would fail every run. */
export function timingProblem(
  {
    steadyState: { probes, holdForMs, timeoutMs },
    method,
    recovery: { withinMs, duringFault },
    afterwards,
  }: Experiment,
  pollMs: number,
): string | undefined {
  if (timeoutMs < holdForMs)
    return `The steady state must hold for ${holdForMs} ms (\`holdForMs\`) and is waited for ${timeoutMs} ms (\`steadyState.timeoutMs\`). Raise \`timeoutMs\`, or lower \`holdForMs\`.`
  if (withinMs < holdForMs)
    return `The steady state must hold for ${holdForMs} ms (\`holdForMs\`), and recovery is given ${withinMs} ms (\`recovery.withinMs\`). Raise \`withinMs\`, or lower \`holdForMs\`.`
  if (withinMs < pollMs)
    return `Each probe is read every ${pollMs} ms (\`pollMs\`), and recovery is given ${withinMs} ms (\`recovery.withinMs\`). Lower \`pollMs\`, or raise \`withinMs\`.`
  const slow = slowest(probes)
  if (slow !== undefined && withinMs < timeoutOf(slow)) {
    return `A reading of ${slow.name} may take ${timeoutOf(slow)} ms (its \`timeoutMs\`), and recovery is given ${withinMs} ms (\`recovery.withinMs\`): a probe that hangs could not be told from one that is bad. Lower the probe's \`timeoutMs\`, or raise \`withinMs\`.`
  }
  const under = slowest(probes.filter(({ name }) => duringFault?.probes.includes(name) === true))
  if (duringFault !== undefined && under !== undefined && duringFault.withinMs < timeoutOf(under)) {
    return `A reading of ${under.name} may take ${timeoutOf(under)} ms (its \`timeoutMs\`), and it must hold again ${duringFault.withinMs} ms after the fault landed (\`recovery.duringFault.withinMs\`). Lower the probe's \`timeoutMs\`, or raise \`withinMs\`.`
  }
  const windowed = afterwards.find((probe) => probeTypeOf(probe).looksBack?.(probe) === true)
  if (windowed !== undefined)
    return `${windowed.name} is read once, afterwards, and its \`windowMs\` needs an earlier reading to look back to. Leave out \`windowMs\`, or ask a Prometheus.`
  for (const [index, step] of method.entries()) {
    if (!('inject' in step)) continue
    const { forMs, leaseMs = DEFAULT_LEASE_MS, rate } = step.inject
    const [nothing] = Object.entries({ rate, leaseMs, forMs }).find(([, value]) => value === 0) ?? []
    if (nothing !== undefined)
      return `Step ${index + 1} of the method affects nothing: its \`${nothing}\` is 0. Raise it, or leave the step out for a run without a fault.`
    if (forMs !== undefined && forMs > leaseMs)
      return `Step ${index + 1} of the method is to be stopped after ${forMs} ms (\`forMs\`), and its lease ends after ${leaseMs} ms (\`leaseMs\`). Leave out \`forMs\`, or lengthen the lease.`
  }
  return undefined
}

function slowest(probes: readonly Probe[]): Probe | undefined {
  return [...probes].sort((a, b) => timeoutOf(b) - timeoutOf(a))[0]
}
