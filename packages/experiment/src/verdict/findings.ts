import { isControlRun } from '../model/control-run.js'
import type { Experiment } from '../model/experiment.js'
import type { Curve, Evidence, Marks } from '../evidence/evidence.js'
import { newsSince } from '../evidence/news.js'
import { steadyStretch, withGaps } from '../evidence/steady.js'
import { marksOf, recoveredDuringFault, steadyAgain, type RecoveredDuringFault } from '../evidence/marks.js'

/** Intermediate results that are computed from the evidence before it is judged. */
export interface Findings {
  readonly marks: Marks
  /** Names of the probes that left their bounds or gave no data after the method had begun. */
  readonly breached: readonly string[]
  /** Probes in `breached` that are not in `mayBreach`, or breached before the first fault or again after recovery. */
  readonly guilty: readonly string[]
  /**
   * Probes in `breached` that may have breached again after recovery: the end of the fault is too uncertain to tell.
   */
  readonly doubtful: readonly string[]
  /** Probes whose outdated data, from before the fault ended, is the only reason why recovery is not proven. */
  readonly old: readonly string[]
  /** Whether the probes of `recovery.duringFault` held while the fault was in force. `undefined`: not required. */
  readonly recoveredDuringFault: RecoveredDuringFault | undefined
}

export function findingsOf(experiment: Experiment, evidence: Evidence): Findings {
  const marks = marksOf(experiment, evidence)
  const { methodAt } = evidence
  const { mayBreach } = experiment.steadyState
  const leave = isControlRun(experiment) ? [] : mayBreach
  const breached = methodAt === undefined ? [] : evidence.curves.filter((curve) => badSince(curve, methodAt).length > 0)
  const guilty = breached.filter(
    (curve) =>
      !leave.includes(curve.probe) ||
      badBefore(curve, evidence).length > 0 ||
      (marks.t7 !== undefined && badSince(curve, marks.t7.at).length > 0),
  )
  const doubtful = breached.filter(
    (curve) => !guilty.includes(curve) && badSince(curve, earliestHeld(experiment, evidence, marks)).length > 0,
  )
  return {
    marks,
    old: marks.t4 === undefined || marks.t7 !== undefined ? [] : withoutNews(experiment, evidence, marks.t4.at),
    doubtful: doubtful.map(({ probe }) => probe),
    breached: breached.map(({ probe }) => probe),
    guilty: guilty.map(({ probe }) => probe),
    recoveredDuringFault: recoveredDuringFault(experiment, evidence, marks),
  }
}

/** The earliest possible moment at which the steady state held again, given the error of the fault's end. */
function earliestHeld(experiment: Experiment, evidence: Evidence, { t4, t7 }: Marks): number {
  if (t4 === undefined || t7 === undefined) return Number.POSITIVE_INFINITY
  return Math.min(t7.at, steadyAgain(experiment, evidence, t4.at - t4.errorMs)?.heldAt ?? t7.at)
}

/** Probes that held, but only by data from before a moment. Empty if any other probe did not hold. */
function withoutNews(
  { steadyState: { holdForMs } }: Experiment,
  { curves, monitors }: Evidence,
  since: number,
): readonly string[] {
  if (steadyStretch(curves.map(withGaps), since, holdForMs) === undefined) return []
  return curves
    .filter(
      (curve) =>
        steadyStretch(
          [newsSince({ ...curve, samples: withGaps(curve) }, since, { curves, monitors })],
          since,
          holdForMs,
        ) === undefined,
    )
    .map(({ probe }) => probe)
}

/** Bad readings between the start of the method and the first fault. No fault explains them. */
export function badBefore(curve: Curve, { methodAt = 0, injections }: Evidence): Curve['samples'] {
  const brokenAt = Math.min(...injections.map(({ askedAt }) => askedAt))
  return badSince(curve, methodAt).filter(({ at }) => at < brokenAt)
}

/** Bad readings (out of bounds, or without data) from a moment on. */
export function badSince({ samples }: Curve, since: number): Curve['samples'] {
  return samples.filter(({ at, isGood }) => at >= since && !isGood)
}
