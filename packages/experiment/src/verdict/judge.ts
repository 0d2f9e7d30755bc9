import type { Experiment } from '../model/experiment.js'
import type { Evidence, MarkName } from '../run/evidence.js'
import { isMonitoringDown, judgeAlerts, type AlertVerdict } from './judge-alerts.js'
import type { VerdictName } from './exit-codes.js'

/** What a run comes to, and why. */
export interface Verdict {
  readonly name: VerdictName
  /** One sentence that names the cause. */
  readonly cause: string
  readonly alerts: readonly AlertVerdict[]
  /** From the fault landing to the first alert that had to fire, in ms. */
  readonly timeToDetectMs: number | undefined
  /** From the fault's end (for an instant one: from its landing) until the steady state had held again, in ms. */
  readonly timeToRecoverMs: number | undefined
  /** `assisted`: a fault was stopped before its lease ended, by this run or by somebody else. */
  readonly recovery: 'by-itself' | 'assisted' | 'not-recovered' | 'not-observed'
}

/**
 * Judges a run by its evidence alone. Missing evidence is never a pass.
 *
 * The first of these that applies is the verdict: rollback failed, guardrail tripped, broken off, not to be trusted, gate unmet, alerts that were
 * active already, fault did not land, weakness found, alert failed, evidence missing, pass.
 */
export function judge(experiment: Experiment, evidence: Evidence): Verdict {
  const alerts = judgeAlerts(experiment, evidence)
  const { t0, t2, t4, t7 } = evidence.marks
  const [name, cause] = conclusion(experiment, evidence, alerts)
  return {
    name,
    cause,
    alerts,
    timeToDetectMs: t0 === undefined || t2 === undefined ? undefined : t2.at - t0.at,
    timeToRecoverMs: t4 === undefined || t7 === undefined ? undefined : t7.at - t4.at,
    recovery: recoveryOf(experiment, evidence),
  }
}

function recoveryOf(experiment: Experiment, evidence: Evidence): Verdict['recovery'] {
  const { marks: { t4, t7 }, brokenOff, guardrail } = evidence
  if (isControlRun(experiment) || t4 === undefined || brokenOff !== undefined || guardrail !== undefined) return 'not-observed'
  if (t7 === undefined) return 'not-recovered'
  return wasAssisted(evidence) ? 'assisted' : 'by-itself'
}

/** Whether nothing is broken: the run shows that nothing is seen where nothing is. */
export function isControlRun({ method }: Experiment): boolean {
  return !method.some((step) => 'inject' in step)
}

type Conclusion = readonly [VerdictName, string]

function conclusion(experiment: Experiment, evidence: Evidence, alerts: readonly AlertVerdict[]): Conclusion {
  return (
    disturbance(evidence, alerts) ??
    (isControlRun(experiment) ? undefined : (landingProblem(experiment, evidence) ?? recoveryProblem(experiment, evidence))) ??
    breachProblem(experiment, evidence) ??
    afterwardsProblem(evidence) ??
    alertProblem(experiment, alerts) ??
    missingEvidence(experiment, evidence, alerts) ?? ['pass', passed(experiment, evidence, alerts)]
  )
}

/** What makes a run worthless, or ended it. */
function disturbance(evidence: Evidence, alerts: readonly AlertVerdict[]): Conclusion | undefined {
  const { rollbackFailures, guardrail, brokenOff, untrusted, gate } = evidence
  if (rollbackFailures.length > 0) return ['rollback-failed', `Not everything could be taken back: ${rollbackFailures.join('; ')}.`]
  if (guardrail !== undefined) return ['guardrail-tripped', `The guardrail ${guardrail.name} was ${guardrail.value ?? 'without data'}, expected ${guardrail.bounds}: the run was ended.`]
  if (brokenOff !== undefined) return ['inconclusive', `The run was broken off: ${brokenOff}.`]
  if (untrusted !== undefined) return ['inconclusive', `The run cannot be trusted: ${untrusted}.`]
  if (!gate.isMet) return ['gate-unmet', `The steady state did not hold before anything was broken: ${gate.problem ?? 'nobody knows why'}.`]
  const dirty = alerts.find(({ outcome }) => outcome === 'already-firing')
  return dirty === undefined ? undefined : ['inconclusive', `${dirty.name} was active before anything was broken, so alerts say nothing about the fault.`]
}

function landingProblem({ method }: Experiment, { failures, injections, marks }: Evidence): Conclusion | undefined {
  if (failures.length > 0) return ['fault-did-not-land', `A fault could not be put in force: ${failures.join('; ')}.`]
  const idle = injections.find(({ landedAt, outcome }) => landedAt === undefined || outcome === 'failed')
  if (idle !== undefined) return ['fault-did-not-land', `${idle.fault} hit nothing in ${idle.target}: ${idle.affected} of ${idle.seen} operations were affected.`]
  const wanted = method.filter((step) => 'inject' in step).length
  if (injections.length < wanted || marks.t0 === undefined) return ['fault-did-not-land', `Of ${wanted} faults of the method, ${injections.length} were seen to land.`]
  return undefined
}

function recoveryProblem({ recovery }: Experiment, evidence: Evidence): Conclusion | undefined {
  const { marks: { t4, t7 }, recoveredDuringFault } = evidence
  if (t4 === undefined) return ['inconclusive', 'Nobody saw the fault end.']
  if (recovery.duringFault !== undefined && recoveredDuringFault?.isMet !== true) {
    const { probes, withinMs } = recovery.duringFault
    return ['weakness-found', `Not recovered: ${probes.join(', ')} did not hold from ${ms(withinMs)} after the fault landed until it ended.`]
  }
  if (t7 === undefined) {
    const bad = lastBad(evidence)
    // Where only the monitoring failed to answer, the system may be well.
    const isBlind = bad.length > 0 && bad.every(({ source, value }) => source === 'prometheus' && value === undefined)
    const reasons = bad.map(({ words }) => words).join('; ')
    if (isBlind) return ['inconclusive', `Nobody can say whether it recovered: ${reasons}.`]
    return ['weakness-found', `Not recovered: the steady state had not held again ${ms(recovery.withinMs)} after the fault had ended${reasons === '' ? '; it broke again each time' : `: ${reasons}`}.`]
  }
  const recoverMs = t7.at - t4.at
  return recoverMs > recovery.withinMs ? ['weakness-found', `It took ${ms(recoverMs)} to recover, expected ${ms(recovery.withinMs)} at most.`] : undefined
}

/** A probe that had no leave to, left its bounds. In a run without a fault, none has. */
function breachProblem(experiment: Experiment, { breached, curves, methodAt = 0 }: Evidence): Conclusion | undefined {
  const isControl = isControlRun(experiment)
  const { mayBreach } = experiment.steadyState
  const guilty = breached.filter((name) => isControl || (mayBreach !== undefined && !mayBreach.includes(name)))
  const [first] = guilty
  if (first === undefined) return undefined
  const curve = curves.find(({ probe }) => probe === first)
  const bad = curve?.samples.filter(({ at, isGood }) => at >= methodAt && !isGood) ?? []
  if (isControl && bad.length > 0 && bad.every(({ value }) => value === undefined)) return ['inconclusive', `${first} gave no data (${bad[0]?.problem ?? 'nobody knows why'}), so nobody can say that it held.`]
  const worst = bad.find(({ value }) => value !== undefined)?.value ?? 'without data'
  return ['weakness-found', `${guilty.join(', ')} left ${guilty.length === 1 ? 'its' : 'their'} bounds${isControl ? ' although nothing was broken' : ', which this fault should not cause'}: ${first} was ${worst}, expected ${curve?.bounds ?? 'otherwise'}.`]
}

function afterwardsProblem({ afterwards }: Evidence): Conclusion | undefined {
  const spoilt = afterwards.find(({ sample }) => !sample.isGood && sample.value !== undefined)
  if (spoilt !== undefined) return ['weakness-found', `${spoilt.name} was ${spoilt.sample.value ?? ''} afterwards, expected ${spoilt.bounds}.`]
  const unread = afterwards.find(({ sample }) => !sample.isGood)
  return unread === undefined ? undefined : ['inconclusive', `${unread.name} could not be read afterwards: ${unread.sample.problem ?? 'no data'}.`]
}

function alertProblem(experiment: Experiment, alerts: readonly AlertVerdict[]): Conclusion | undefined {
  const failed = alerts.find(({ outcome }) => outcome !== 'detected' && outcome !== 'allowed' && outcome !== 'monitoring-down')
  return failed === undefined ? undefined : ['alert-failed', `${failed.name} ${failed.outcome.replace('-', ' ')}${isControlRun(experiment) ? ' although nothing was broken' : ''}: ${failed.detail}`]
}

/** What a pass would need that nobody has seen. */
function missingEvidence(experiment: Experiment, evidence: Evidence, alerts: readonly AlertVerdict[]): Conclusion | undefined {
  const missing = (what: string): Conclusion => ['inconclusive', what]
  const blind = alerts.find(({ outcome }) => outcome === 'monitoring-down')
  if (blind !== undefined) return missing(`${blind.name}: ${blind.detail}`)
  if ((experiment.alerts !== undefined || evidence.alertReadings.length > 0) && isMonitoringDown(evidence)) {
    const [source] = evidence.alertReadings.filter(({ problem }) => problem !== undefined)
    return missing(`Alerts could not be read${source === undefined ? '' : ` (${source.problem ?? ''})`}: nobody can say which fired.`)
  }
  if (!evidence.isMethodDone || evidence.methodAt === undefined) return missing('The method was not done to its end.')
  for (const { name } of experiment.steadyState.probes) {
    const read = evidence.curves.find(({ probe }) => probe === name)?.samples.some(({ at }) => at >= (evidence.methodAt ?? 0)) ?? false
    if (!read) return missing(`${name} was never read after the method had begun.`)
  }
  for (const { name } of experiment.afterwards) if (!evidence.afterwards.some((reading) => reading.name === name)) return missing(`${name} was not read afterwards.`)
  if (isControlRun(experiment)) return undefined
  const unmade = neededMarks(experiment, evidence).filter((name) => evidence.marks[name] === undefined)
  return unmade.length === 0 ? undefined : missing(`Nobody saw ${unmade.join(', ')} of the marks that a pass needs.`)
}

function neededMarks({ alerts }: Experiment, evidence: Evidence): MarkName[] {
  const mustFire = (alerts?.mustFire.length ?? 0) > 0
  const hasFired = evidence.alerts.some(({ state }) => state === 'firing')
  return ['t0', ...(mustFire || evidence.breached.length > 0 ? (['t1'] as const) : []), ...(mustFire ? (['t2'] as const) : []), ...(mustFire && evidence.notifications !== undefined ? (['t3'] as const) : []), 't4', 't5', ...(mustFire || hasFired ? (['t6'] as const) : []), 't7']
}

function passed(experiment: Experiment, evidence: Evidence, alerts: readonly AlertVerdict[]): string {
  const { marks: { t4, t7 }, alertReadings } = evidence
  const watched = alertReadings.length > 0
  if (isControlRun(experiment)) return `Nothing was broken, the steady state held, and ${watched ? 'no alert fired' : 'alerts were not watched'}.`
  const fired = alerts.filter(({ mustFire }) => mustFire).length
  const said = !watched ? 'alerts were not watched' : fired === 0 ? 'no alert had to fire' : `${fired === 1 ? 'the alert' : fired === 2 ? 'both alerts' : `all ${fired} alerts`} fired in time and resolved`
  return `The fault landed, ${said}, and the steady state had held again ${ms((t7?.at ?? 0) - (t4?.at ?? 0))} after its end${wasAssisted(evidence) ? ', which came early: somebody stopped it' : ''}.`
}

/** Whether somebody ended a fault before its time. */
function wasAssisted({ injections }: Evidence): boolean {
  return injections.some(({ kind, outcome }) => kind === 'standing' && (outcome === 'stopped' || outcome === 'rolled-back' || outcome === 'aborted'))
}

function lastBad({ curves }: Evidence): readonly { readonly source: string; readonly value: number | undefined; readonly words: string }[] {
  return curves.flatMap(({ probe, source, bounds, samples }) => {
    const last = samples.at(-1)
    if (last === undefined) return [{ source, value: undefined, words: `${probe} was never read` }]
    if (last.isGood) return []
    return [{ source, value: last.value, words: `${probe} was ${last.value ?? `without data (${last.problem ?? 'nobody knows why'})`}, expected ${bounds}` }]
  })
}

const ms = (value: number): string => `${Math.round(value)} ms`
