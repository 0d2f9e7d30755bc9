import { DEFAULT_LEASE_MS } from '@chaos/core/authoring'
import type { Experiment } from '../../model/experiment.js'
import { probeTypeOf, type Probe } from '../../probes/probe-types.js'
import { timeoutOf } from '../../probes/read.js'

/**
 * Why the time limits of an experiment contradict each other, so that every run would fail; `undefined`: they do not.
 */
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
    return `The steady state must hold for ${holdForMs} ms (\`holdForMs\`), but the run waits only ${timeoutMs} ms for it (\`steadyState.timeoutMs\`). Raise \`timeoutMs\`, or lower \`holdForMs\`.`
  if (withinMs < holdForMs)
    return `The steady state must hold for ${holdForMs} ms (\`holdForMs\`), but the recovery budget is ${withinMs} ms (\`recovery.withinMs\`). Raise \`withinMs\`, or lower \`holdForMs\`.`
  if (withinMs < pollMs)
    return `Each probe is read every ${pollMs} ms (\`pollMs\`), but the recovery budget is ${withinMs} ms (\`recovery.withinMs\`). Lower \`pollMs\`, or raise \`withinMs\`.`
  const slow = slowest(probes)
  if (slow !== undefined && withinMs < timeoutOf(slow)) {
    return `A reading of ${slow.name} may take ${timeoutOf(slow)} ms (its \`timeoutMs\`), but the recovery budget is ${withinMs} ms (\`recovery.withinMs\`), so a hanging probe would look like a failed recovery. Lower the probe's \`timeoutMs\`, or raise \`withinMs\`.`
  }
  const under = slowest(probes.filter(({ name }) => duringFault?.probes.includes(name) === true))
  if (duringFault !== undefined && under !== undefined && duringFault.withinMs < timeoutOf(under)) {
    return `A reading of ${under.name} may take ${timeoutOf(under)} ms (its \`timeoutMs\`), but the probe must hold again ${duringFault.withinMs} ms after the fault landed (\`recovery.duringFault.withinMs\`). Lower the probe's \`timeoutMs\`, or raise \`withinMs\`.`
  }
  const windowed = afterwards.find((probe) => probeTypeOf(probe).looksBack?.(probe) === true)
  if (windowed !== undefined)
    return `The \`afterwards\` probe ${windowed.name} is read once, but its \`windowMs\` needs an earlier reading. Remove \`windowMs\`, or use a \`prometheus\` probe.`
  for (const [index, step] of method.entries()) {
    if (!('inject' in step)) continue
    const { forMs, leaseMs = DEFAULT_LEASE_MS, rate } = step.inject
    const [nothing] = Object.entries({ rate, leaseMs, forMs }).find(([, value]) => value === 0) ?? []
    if (nothing !== undefined)
      return `Step ${index + 1} of the method affects nothing: its \`${nothing}\` is 0. Raise it, or remove the step for a control run.`
    if (forMs !== undefined && forMs > leaseMs)
      return `Step ${index + 1} of the method stops its fault after ${forMs} ms (\`forMs\`), but the lease already ends after ${leaseMs} ms (\`leaseMs\`). Remove \`forMs\`, or lengthen the lease.`
  }
  return undefined
}

function slowest(probes: readonly Probe[]): Probe | undefined {
  return [...probes].sort((a, b) => timeoutOf(b) - timeoutOf(a))[0]
}
