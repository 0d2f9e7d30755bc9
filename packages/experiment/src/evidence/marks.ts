import { isMeant } from '../model/alerts.js'
import type { Experiment } from '../model/experiment.js'
import { largest } from '../shared/numbers.js'
import { clockOffset, ourMoment, type ClockOffset } from './clock-offset.js'
import type { Curve, Evidence, Mark, Marks, MarkName, RunInjection } from './evidence.js'
import { newsSince } from './news.js'
import { steadyStretch, withGaps, type SteadyStretch } from './steady.js'

/** The evidence that marks are derived from. */
export type Recording = Pick<
  Evidence,
  'injections' | 'isMethodDone' | 'curves' | 'alerts' | 'notifications' | 'monitors' | 'appClock'
>

/**
 * Dates the marks of a run by this process's clock. A mark needs evidence, and never comes before the mark that it
 * depends on.
 */
export function marksOf(experiment: Experiment, recording: Recording): Marks {
  const marks: Partial<Record<MarkName, Mark>> = {}
  const appOffset = clockOffset(recording.appClock)
  const t0 = landing(recording, appOffset)
  if (t0 === undefined) return marks
  marks.t0 = t0
  const mustFire = experiment.alerts?.mustFire ?? []
  const sinceLanding = recording.alerts.filter(({ to }) => to === undefined || to > t0.at)
  const required = sinceLanding.filter((stretch) => mustFire.some((expected) => isMeant(stretch, expected)))
  const curves = recording.curves.map(withGaps)

  const t3 = earliest(
    (recording.notifications ?? []).flatMap((one) =>
      one.status === 'firing' && one.at >= t0.at && mustFire.some((expected) => isMeant(one, expected))
        ? [{ at: one.at, errorMs: 0 }]
        : [],
    ),
  )
  // A notification proves that its alert fired, even if a reader saw the alert later.
  const t2 = earliest([
    ...required.flatMap(({ state, from, fromErrorMs }) =>
      state === 'firing' ? [{ at: Math.max(t0.at, from), errorMs: fromErrorMs }] : [],
    ),
    ...(t3 === undefined ? [] : [t3]),
  ])
  const t1 = earliest([
    ...curves.flatMap((samples) => firstBad(samples, t0.at)),
    ...required.map((stretch) => conditionOf(stretch, recording) ?? { at: stretch.from, errorMs: stretch.fromErrorMs }),
    ...(t2 === undefined ? [] : [t2]),
  ])
  if (t1 !== undefined) marks.t1 = notBefore(t1, t0.at)
  if (t2 !== undefined) marks.t2 = notBefore(t2, t0.at)
  if (t3 !== undefined) marks.t3 = t3

  const t4 = ending(recording, appOffset, t0)
  if (t4 === undefined) return marks
  marks.t4 = t4
  const steady = steadyAgain(experiment, recording, t4.at)
  if (steady !== undefined) {
    marks.t5 = { at: steady.from, errorMs: steady.fromErrorMs }
    marks.t7 = { at: steady.heldAt, errorMs: steady.fromErrorMs }
  }
  const fired = sinceLanding.filter(
    (stretch) => stretch.state === 'firing' && !isStanding(stretch, experiment, t0.at - t0.errorMs),
  )
  const last = [...fired].sort((a, b) => (b.to ?? 0) - (a.to ?? 0))[0]
  if (last !== undefined && fired.every(({ to }) => to !== undefined))
    marks.t6 = { at: last.to ?? last.from, errorMs: last.toErrorMs }
  return marks
}

/**
 * Whether an alert from `mayFire` was already firing before a moment. Such an alert says nothing about what followed,
 * however long it keeps firing.
 */
export function isStanding(stretch: Evidence['alerts'][number], { alerts }: Experiment, before: number): boolean {
  return (
    stretch.from < before &&
    alerts?.mayFire.some((matcher) => isMeant(stretch, matcher)) === true &&
    !alerts.mustFire.some((expected) => isMeant(stretch, expected))
  )
}

/** When the steady state held again after a moment, judged by readings whose data is newer than the moment. */
export function steadyAgain(
  { steadyState }: Experiment,
  { curves, monitors }: Pick<Evidence, 'curves' | 'monitors'>,
  since: number,
): SteadyStretch | undefined {
  return steadyStretch(
    curves.map((curve) => newsSince({ ...curve, samples: withGaps(curve) }, since, { curves, monitors })),
    since,
    steadyState.holdForMs,
  )
}

/** When an injection landed: not before its request, and not after the run saw that it had landed. */
export function landingOf(
  { landedAt, landedSeenAt, askedAt }: RunInjection,
  offset: ClockOffset | undefined,
): ReturnType<typeof ourMoment> | undefined {
  return landedAt === undefined || landedSeenAt === undefined
    ? undefined
    : ourMoment(landedAt, offset, askedAt, landedSeenAt)
}

/**
 * When an injection ended: not before the run last saw it in force, and not after the run saw that it had ended. An
 * instant fault ends when it lands.
 */
export function endingOf(
  injection: RunInjection,
  offset: ClockOffset | undefined,
): ReturnType<typeof ourMoment> | undefined {
  const { kind, endedAt, endedSeenAt, activeSeenAt, askedAt } = injection
  if (kind === 'instant') return landingOf(injection, offset)
  return endedAt === undefined || endedSeenAt === undefined
    ? undefined
    : ourMoment(endedAt, offset, activeSeenAt ?? askedAt, endedSeenAt)
}

/**
 * When the condition of an alert began, as its rule saw it and by the clock of its monitoring system, and not after the
 * alert was read. `undefined`: unknown.
 */
export function conditionOf(
  { source, activeAt, from }: Evidence['alerts'][number],
  { monitors }: Pick<Evidence, 'monitors'>,
): Mark | undefined {
  const monitor = monitors.find((one) => one.source === source)
  const offset = clockOffset(monitor?.clock ?? [])
  if (activeAt === undefined || offset === undefined) return undefined
  const { at, errorMs } = ourMoment(activeAt, offset, Number.NEGATIVE_INFINITY, from)
  // The condition may have become true just after the previous evaluation.
  return { at, errorMs: errorMs + (monitor?.ruleIntervalMs ?? 0) }
}

function landing({ injections }: Recording, offset: ClockOffset | undefined): Mark | undefined {
  return earliest(injections.flatMap((injection) => markOf(landingOf(injection, offset))))
}

/** When the last fault ended. */
function ending({ injections, isMethodDone }: Recording, offset: ClockOffset | undefined, t0: Mark): Mark | undefined {
  if (!isMethodDone || injections.some(({ status }) => status !== 'ended')) return undefined
  const last = injections.flatMap((injection) => markOf(endingOf(injection, offset))).sort((a, b) => b.at - a.at)[0]
  return last === undefined ? undefined : notBefore(last, t0.at)
}

const markOf = (moment: Mark | undefined): readonly Mark[] =>
  moment === undefined ? [] : [{ at: moment.at, errorMs: moment.errorMs }]

function firstBad(samples: Curve['samples'], since: number): Mark[] {
  const index = samples.findIndex(({ at, isGood }) => at >= since && !isGood)
  const bad = samples[index]
  if (bad === undefined) return []
  return [{ at: bad.at, errorMs: Math.max(0, bad.at - Math.max(since, samples[index - 1]?.at ?? since)) }]
}

function earliest(marks: readonly Mark[]): Mark | undefined {
  return [...marks].sort((a, b) => a.at - b.at)[0]
}

function notBefore(mark: Mark, at: number): Mark {
  return mark.at >= at ? mark : { at, errorMs: mark.errorMs }
}

/** Whether probes held again while the fault was in force. */
export interface RecoveredDuringFault {
  readonly isMet: boolean
  /** `true`: unknown. No reading contradicts it, but readings are too few, or the landing or end is too uncertain. */
  readonly isDoubtful?: true
  readonly afterMs: number | undefined
}

/**
 * Whether the probes of `recovery.duringFault` held, from `withinMs` after the landing until the fault ended.
 * `undefined`: the experiment does not require it.
 */
export function recoveredDuringFault(
  { recovery: { duringFault } }: Experiment,
  { curves }: Pick<Evidence, 'curves'>,
  { t0, t4 }: Marks,
): RecoveredDuringFault | undefined {
  if (duringFault === undefined) return undefined
  if (t0 === undefined || t4 === undefined) return { isMet: false, afterMs: undefined }
  // The requirement begins between the first two times, and the fault ended between the other two.
  const [dueAt, surelyDueAt] = [t0.at - t0.errorMs + duringFault.withinMs, t0.at + duringFault.withinMs]
  const surelyUntil = t4.at - t4.errorMs
  const under = duringFault.probes.map((name) =>
    curves
      .filter(({ probe }) => probe === name)
      .flatMap(withGaps)
      .filter(({ at }) => at >= t0.at && at <= t4.at),
  )
  const due = under.map((samples) => samples.filter(({ at }) => at >= dueAt))
  if (due.some((samples) => samples.some(({ at, isGood }) => !isGood && at >= surelyDueAt && at <= surelyUntil)))
    return { isMet: false, afterMs: undefined }
  const isMet = due.every(
    (samples) => samples.every(({ isGood }) => isGood) && samples.some(({ at }) => at <= surelyUntil),
  )
  if (!isMet) return { isMet, isDoubtful: true, afterMs: undefined }
  const lastBad = largest(
    under.flatMap((samples) => samples.filter(({ isGood }) => !isGood).map(({ at }) => at)),
    t0.at,
  )
  return { isMet, afterMs: lastBad - t0.at }
}
