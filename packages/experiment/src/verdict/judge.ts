import { inWords } from '../shared/answer.js'
import { isControlRun } from '../model/control-run.js'
import type { Experiment } from '../model/experiment.js'
import { asksMonitoring } from '../probes/probe-types.js'
import type { Evidence, Marks, MarkName } from '../evidence/evidence.js'
import { largest, longestGap } from '../shared/numbers.js'
import { clockOffset } from '../evidence/clock-offset.js'
import { isStanding, landingOf } from '../evidence/marks.js'
import { stopByAlert } from '../evidence/stop-alerts.js'
import { badBefore, badSince, findingsOf, type Findings } from './findings.js'
import { isMonitoringDown, judgeAlerts, type AlertVerdict } from './judge-alerts.js'
import { clockProblem } from './judge-clocks.js'
import { stalenessProblem } from './judge-freshness.js'
import { idleProblem } from './judge-idle.js'
import { judgeLoad, type LoadFindings } from './judge-load.js'
import { monitoringProblem } from './judge-monitoring.js'
import { outageProblem } from './judge-outage.js'
import { holes } from './judge-wholeness.js'
import type { VerdictName } from './exit-codes.js'
import { ms, seconds, sentence } from './words.js'

/** The verdict on a run, and its cause. */
export interface Verdict {
  readonly name: VerdictName
  /** The cause, in one sentence. */
  readonly cause: string
  readonly alerts: readonly AlertVerdict[]
  /** The marks of the run, by the clock of the process that ran the experiment. */
  readonly marks: Marks
  /** Names of the probes that left their bounds or gave no data after the method had begun. */
  readonly breached: readonly string[]
  /** Time from the landing of the fault to the first alert in `mustFire` (t0 to t2), in ms. */
  readonly timeToDetectMs: number | undefined
  /**
   * Time from the end of the fault (an instant fault ends when it lands) until the steady state had held again, in ms.
   */
  readonly timeToRecoverMs: number | undefined
  /** How the system recovered. `assisted`: a fault was stopped before its lease ended, by this run or from outside. */
  readonly recovery: 'by-itself' | 'assisted' | 'not-recovered' | 'not-observed'
}

/** The inputs of every conclusion. */
interface Case {
  readonly experiment: Experiment
  readonly evidence: Evidence
  readonly findings: Findings
  readonly alerts: readonly AlertVerdict[]
  readonly load: LoadFindings
}

/** The longest allowed delay of this process's timers, in ms. Observations during a longer delay cannot be trusted. */
const MAX_OWN_LATENESS_MS = 2_000

/**
 * Judges a run by its evidence alone. Missing evidence is never a pass, and less evidence never improves a verdict.
 * Never throws: incomplete or invalid evidence is `inconclusive`.
 *
 * The verdict is the first that applies, in this order: rollback failed, guardrail tripped, run aborted, run untrusted,
 * gate unmet, alerts already active, fault did not land, weakness found, alert failed, evidence missing, pass.
 */
export function judge(experiment: Experiment, evidence: Evidence): Verdict {
  try {
    const torn = holes(evidence)
    return torn === undefined ? judgeWhole(experiment, evidence) : unjudged(torn)
  } catch (error) {
    return unjudged(`The evidence cannot be judged: ${inWords(error)}.`)
  }
}

function unjudged(cause: string): Verdict {
  return {
    name: 'inconclusive',
    cause,
    alerts: [],
    marks: {},
    breached: [],
    timeToDetectMs: undefined,
    timeToRecoverMs: undefined,
    recovery: 'not-observed',
  }
}

function judgeWhole(experiment: Experiment, evidence: Evidence): Verdict {
  const findings = findingsOf(experiment, evidence)
  const { marks, breached } = findings
  const alerts = judgeAlerts(experiment, evidence, marks)
  const { t0, t2, t4, t7 } = marks
  const one: Case = { experiment, evidence, findings, alerts, load: judgeLoad(experiment, evidence, marks) }
  const [name, cause] = conclusion(one)
  return {
    name,
    cause,
    alerts,
    marks,
    breached,
    timeToDetectMs: t0 === undefined || t2 === undefined ? undefined : t2.at - t0.at,
    timeToRecoverMs: t4 === undefined || t7 === undefined ? undefined : t7.at - t4.at,
    recovery: recoveryOf(one),
  }
}

function recoveryOf({
  experiment,
  evidence,
  findings: {
    old,
    marks: { t4, t7 },
  },
}: Case): Verdict['recovery'] {
  if (
    isControlRun(experiment) ||
    t4 === undefined ||
    old.length > 0 ||
    evidence.brokenOff !== undefined ||
    stopOf(experiment, evidence) !== undefined
  )
    return 'not-observed'
  if (t7 === undefined) return 'not-recovered'
  return wasAssisted(evidence) ? 'assisted' : 'by-itself'
}

type Conclusion = readonly [VerdictName, string]

function conclusion(one: Case): Conclusion {
  return (
    disturbance(one) ??
    (isControlRun(one.experiment) ? undefined : (landingProblem(one) ?? recoveryProblem(one))) ??
    breachProblem(one) ??
    (one.load.weakness === undefined ? undefined : (['weakness-found', one.load.weakness] as const)) ??
    afterwardsProblem(one) ??
    alertProblem(one) ??
    missingEvidence(one) ?? ['pass', passed(one)]
  )
}

/** Conclusions about events that ended the run early or invalidate its evidence. */
function disturbance({ experiment, evidence, alerts, load }: Case): Conclusion | undefined {
  const { rollbackFailures, brokenOff, gate, own } = evidence
  if (rollbackFailures.length > 0)
    return ['rollback-failed', sentence(`Not everything could be rolled back: ${rollbackFailures.join('; ')}`)]
  const tripped = stopOf(experiment, evidence)
  if (tripped !== undefined) return ['guardrail-tripped', tripped]
  if (brokenOff !== undefined) return ['inconclusive', `The run was aborted: ${brokenOff}.`]
  const latestMs = largest(
    own.map(({ lateMs }) => lateMs),
    0,
  )
  if (latestMs > MAX_OWN_LATENESS_MS)
    return [
      'inconclusive',
      `The run cannot be trusted: the machine was too slow or the process was suspended: it was ${seconds(latestMs)} late.`,
    ]
  if (load.untrusted !== undefined) return ['inconclusive', `The run cannot be trusted: ${load.untrusted}.`]
  if (!gate.isMet)
    return [
      'gate-unmet',
      `The steady state did not hold before anything was broken: ${gate.problem ?? 'unknown reason'}.`,
    ]
  const dirty = alerts.find(({ outcome }) => outcome === 'already-firing')
  return dirty === undefined
    ? undefined
    : ['inconclusive', `${dirty.name} was active before anything was broken, so alerts say nothing about the fault.`]
}

/** The stop condition that ended the run: a guardrail, or an alert that must not fire. */
function stopOf(experiment: Experiment, evidence: Evidence): string | undefined {
  const { methodAt } = evidence
  return methodAt === undefined
    ? undefined
    : (trippedGuard(evidence, methodAt) ?? stopByAlert(experiment, evidence, methodAt))
}

/** The first guardrail that left its bounds or had no data after the method had begun. */
function trippedGuard({ guards }: Evidence, methodAt: number): string | undefined {
  for (const guard of guards) {
    const [bad] = badSince(guard, methodAt)
    if (bad !== undefined)
      return `The guardrail ${guard.probe} was ${bad.value ?? `without data (${bad.problem ?? 'unknown reason'})`}, expected ${guard.bounds}: the run was ended.`
  }
  return undefined
}

function landingProblem({
  experiment: { method },
  evidence: { failures, injections, appClock },
  findings: { marks },
}: Case): Conclusion | undefined {
  if (failures.length > 0)
    return ['fault-did-not-land', sentence(`A fault could not be injected: ${failures.join('; ')}`)]
  const offset = clockOffset(appClock)
  const idle = injections.find(
    (injection) => landingOf(injection, offset) === undefined || injection.outcome === 'failed',
  )
  if (idle !== undefined)
    return [
      'fault-did-not-land',
      `${idle.fault} hit nothing in ${idle.target}: ${idle.affected} of ${idle.seen} operations were affected.`,
    ]
  const wanted = method.filter((step) => 'inject' in step).length
  if (injections.length < wanted || marks.t0 === undefined)
    return ['fault-did-not-land', `${injections.length} of ${wanted} faults of the method were seen to land.`]
  return undefined
}

function recoveryProblem({ experiment, evidence, findings }: Case): Conclusion | undefined {
  const { recovery } = experiment
  const {
    marks: { t4, t5, t7 },
    breached,
    old,
  } = findings
  if (t4 === undefined) return ['inconclusive', 'The end of the fault was not seen.']
  if (recovery.duringFault !== undefined && findings.recoveredDuringFault?.isMet !== true) {
    const { probes, withinMs } = recovery.duringFault
    if (findings.recoveredDuringFault?.isDoubtful === true)
      return [
        'inconclusive',
        `Whether ${probes.join(', ')} held from ${ms(withinMs)} after the fault landed until it ended is unknown: readings are too far apart, or the times of landing and ending are too uncertain.`,
      ]
    return [
      'weakness-found',
      `Not recovered: ${probes.join(', ')} did not hold from ${ms(withinMs)} after the fault landed until it ended.`,
    ]
  }
  // Recovery is unknown. `missingEvidence` reports that, after all weaknesses.
  if (old.length > 0) return undefined
  if (t5 === undefined || t7 === undefined) {
    const bad = lastBad(evidence)
    // If only the monitoring system failed to answer, the system under test may be healthy.
    const isBlind = bad.length > 0 && bad.every(({ source, value }) => asksMonitoring(source) && value === undefined)
    const reasons = bad.map(({ words }) => words).join('; ')
    const unseen = unwatched(experiment, evidence)
    if (unseen !== undefined && bad.every(({ value }) => value === undefined))
      return ['inconclusive', `Whether the system recovered is unknown: ${unseen}`]
    if (isBlind) return ['inconclusive', `Whether the system recovered is unknown: ${reasons}.`]
    return [
      'weakness-found',
      `Not recovered: the steady state had not held again ${ms(recovery.withinMs)} after the fault had ended${reasons === '' ? `: ${breached.join(', ')} broke again each time` : `: ${reasons}`}.`,
    ]
  }
  // The delay of the reading that showed recovery is not part of the recovery time.
  const [atLeastMs, atMostMs] = [
    t5.at - t5.errorMs + experiment.steadyState.holdForMs - t4.at,
    t7.at - t4.at + t4.errorMs,
  ]
  if (atLeastMs > recovery.withinMs)
    return ['weakness-found', `It took ${ms(t7.at - t4.at)} to recover, expected ${ms(recovery.withinMs)} at most.`]
  if (atMostMs > recovery.withinMs)
    return [
      'inconclusive',
      `It took ${ms(atLeastMs)} to ${ms(atMostMs)} to recover; readings are too far apart to tell whether that was within ${ms(recovery.withinMs)}.`,
    ]
  return undefined
}

/** A probe that left its bounds without being in `mayBreach`. In a control run, no probe may. */
function breachProblem({
  experiment,
  evidence,
  findings: {
    guilty,
    doubtful,
    marks: { t7 },
  },
}: Case): Conclusion | undefined {
  const { curves, methodAt = 0 } = evidence
  const isControl = isControlRun(experiment)
  const first = curves.find(({ probe }) => guilty.includes(probe))
  if (first === undefined)
    return doubtful.length === 0
      ? undefined
      : [
          'inconclusive',
          `${doubtful.join(', ')} left bounds when the system may have recovered already: the time at which the fault ended is too uncertain to tell.`,
        ]
  const mayBreach = !isControl && experiment.steadyState.mayBreach.includes(first.probe)
  const early = mayBreach ? badBefore(first, evidence) : []
  const isEarly = early.length > 0
  const isLate = mayBreach && !isEarly && t7 !== undefined
  const bad = isEarly ? early : badSince(first, isLate ? t7.at : methodAt)
  const [unread] = bad
  // Missing data can be an effect of the fault only if the probe reads the system under test itself.
  if ((isControl || asksMonitoring(first.source)) && bad.every(({ value }) => value === undefined))
    return [
      'inconclusive',
      `${first.probe} gave no data (${unread?.problem ?? 'unknown reason'}), so whether it held is unknown.`,
    ]
  const worst =
    bad.find(({ value }) => value !== undefined)?.value ?? `without data (${unread?.problem ?? 'unknown reason'})`
  const why = isControl
    ? ' although nothing was broken'
    : isEarly
      ? ' before anything was broken'
      : isLate
        ? ' again after the system had recovered'
        : ', which this fault should not cause'
  return [
    'weakness-found',
    `${guilty.join(', ')} left ${guilty.length === 1 ? 'its' : 'their'} bounds${why}: ${first.probe} was ${worst}, expected ${first.bounds}.`,
  ]
}

function afterwardsProblem({ evidence: { afterwards } }: Case): Conclusion | undefined {
  const spoilt = afterwards.find(({ sample }) => !sample.isGood && sample.value !== undefined)
  if (spoilt !== undefined)
    return ['weakness-found', `${spoilt.name} was ${spoilt.sample.value ?? ''} afterwards, expected ${spoilt.bounds}.`]
  const unread = afterwards.find(({ sample }) => !sample.isGood)
  return unread === undefined
    ? undefined
    : ['inconclusive', `${unread.name} could not be read afterwards: ${unread.sample.problem ?? 'no data'}.`]
}

function alertProblem({ experiment, alerts }: Case): Conclusion | undefined {
  const failed = alerts.find(
    ({ outcome }) => outcome !== 'detected' && outcome !== 'allowed' && outcome !== 'monitoring-down',
  )
  return failed === undefined
    ? undefined
    : [
        'alert-failed',
        `${failed.name} ${failed.outcome.replace('-', ' ')}${isControlRun(experiment) ? ' although nothing was broken' : ''}: ${failed.detail}`,
      ]
}

/** Evidence that a pass needs but is missing. */
function missingEvidence({ experiment, evidence, findings, alerts, load }: Case): Conclusion | undefined {
  const missing = (what: string): Conclusion => ['inconclusive', what]
  const blind = alerts.find(({ outcome }) => outcome === 'monitoring-down')
  if (blind !== undefined) return missing(`${blind.name}: ${blind.detail}`)
  if ((experiment.alerts !== undefined || evidence.alertReadings.length > 0) && isMonitoringDown(evidence)) {
    const [source] = evidence.alertReadings.filter(({ problem }) => problem !== undefined)
    return missing(
      `Alerts could not be read${source === undefined ? '' : ` (${source.problem ?? ''})`}, so which alerts fired is unknown.`,
    )
  }
  if (!evidence.isMethodDone || evidence.methodAt === undefined) return missing('The method was not completed.')
  const hole =
    outageProblem(experiment, evidence) ??
    unwatched(experiment, evidence) ??
    monitoringProblem(experiment, evidence, findings.marks) ??
    stalenessProblem(evidence) ??
    idleProblem(experiment, evidence, findings.marks) ??
    clockProblem(experiment, evidence) ??
    load.missing
  if (hole !== undefined) return missing(hole)
  for (const { name } of experiment.afterwards)
    if (!evidence.afterwards.some((reading) => reading.name === name))
      return missing(`${name} was not read afterwards.`)
  if (isControlRun(experiment)) return undefined
  const { old } = findings
  if (old.length > 0)
    return missing(
      `Whether the system recovered is unknown: the data of ${old.join(', ')} is from before the fault ended.`,
    )
  const unmade = neededMarks(experiment, evidence, findings).filter((name) => findings.marks[name] === undefined)
  return unmade.length === 0
    ? undefined
    : missing(`A pass needs marks that could not be determined: ${unmade.join(', ')}.`)
}

/** Periods in which a probe or a guardrail was not read. */
function unwatched(
  { steadyState: { probes, holdForMs }, guardrails }: Experiment,
  { curves, guards, gate, methodAt: since = 0, watchedUntil, own, pollMs }: Evidence,
): string | undefined {
  for (const [names, logs] of [
    [probes, curves],
    [guardrails, guards],
  ] as const) {
    for (const { name } of names) {
      const log = logs.find(({ probe }) => probe === name)
      if (log === undefined || log.samples.every(({ at }) => at < since))
        return `${name} was never read after the method had begun.`
      const times = [gate.from, ...log.samples.map(({ at }) => at), watchedUntil]
      const gapMs = longestGap(times)
      if (gapMs > log.maxGapMs) return `${name} was not read for ${seconds(gapMs)}.`
      if (log.samples.some(({ n }, index) => n !== (log.samples[index - 1]?.n ?? n - 1) + 1))
        return `${name}: readings are missing.`
    }
  }
  const wasSteady =
    since - gate.from >= holdForMs &&
    curves.every(({ samples }) => samples.every(({ at, isGood }) => at >= since || isGood))
  if (!wasSteady) return 'The readings from before the method do not show that the steady state held.'
  const looks = [since, ...own.map(({ at }) => at), watchedUntil]
  const stoppedMs = longestGap(looks)
  return stoppedMs > MAX_OWN_LATENESS_MS + pollMs
    ? `The run did not watch itself for ${seconds(stoppedMs)}.`
    : undefined
}

function neededMarks(experiment: Experiment, evidence: Evidence, { breached, marks }: Findings): MarkName[] {
  const mustFire = (experiment.alerts?.mustFire.length ?? 0) > 0
  const { at: landedAt, errorMs } = marks.t0 ?? { at: 0, errorMs: 0 }
  const hasFired = evidence.alerts.some(
    (stretch) =>
      stretch.state === 'firing' &&
      (stretch.to === undefined || stretch.to > landedAt) &&
      !isStanding(stretch, experiment, landedAt - errorMs),
  )
  return [
    't0',
    ...(mustFire || breached.length > 0 ? (['t1'] as const) : []),
    ...(mustFire ? (['t2'] as const) : []),
    ...(mustFire && evidence.notifications !== undefined ? (['t3'] as const) : []),
    't4',
    't5',
    ...(mustFire || hasFired ? (['t6'] as const) : []),
    't7',
  ]
}

function passed({
  experiment,
  evidence,
  findings: {
    marks: { t4, t7 },
  },
  alerts,
}: Case): string {
  const watched = evidence.alertReadings.length > 0
  if (isControlRun(experiment))
    return `Nothing was broken, the steady state held, and ${watched ? 'no alert fired' : 'alerts were not watched'}.`
  const fired = alerts.filter(({ mustFire }) => mustFire).length
  const said = !watched
    ? 'alerts were not watched'
    : fired === 0
      ? 'no alert had to fire'
      : `${fired === 1 ? 'the alert' : fired === 2 ? 'both alerts' : `all ${fired} alerts`} fired in time and resolved`
  return `The fault landed, ${said}, and the steady state had held again ${ms((t7?.at ?? 0) - (t4?.at ?? 0))} after its end${wasAssisted(evidence) ? ', which came early because the fault was stopped' : ''}.`
}

/** Whether a fault was stopped before its lease ended. */
function wasAssisted({ injections }: Evidence): boolean {
  return injections.some(
    ({ kind, outcome }) =>
      kind === 'standing' && (outcome === 'stopped' || outcome === 'rolled-back' || outcome === 'aborted'),
  )
}

function lastBad({
  curves,
}: Evidence): readonly { readonly source: string; readonly value: number | undefined; readonly words: string }[] {
  return curves.flatMap(({ probe, source, bounds, samples }) => {
    const last = samples.at(-1)
    if (last === undefined) return [{ source, value: undefined, words: `${probe} was never read` }]
    if (last.isGood) return []
    return [
      {
        source,
        value: last.value,
        words: `${probe} was ${last.value ?? `without data (${last.problem ?? 'unknown reason'})`}, expected ${bounds}`,
      },
    ]
  })
}
