import { isControlRun } from '../model/control-run.js'
import type { Experiment } from '../model/experiment.js'
import type { Curve, Evidence, Marks } from '../evidence/evidence.js'
import { newsSince } from '../evidence/news.js'
import { steadyStretch, withGaps } from '../evidence/steady.js'
import { marksOf, recoveredDuringFault, steadyAgain, type RecoveredDuringFault } from '../evidence/marks.js'

/** What follows from evidence by arithmetic, before it is judged. */
export interface Findings {
  readonly marks: Marks
  /** Names of the probes that left their bounds, or gave no data, once the method had begun. */
  readonly breached: readonly string[]
  /** Those of `breached` that `mayBreach` does not name, or that breached before anything was broken or after the steady state had held again. */
  readonly guilty: readonly string[]
  /** Those of `breached` that may have breached after the steady state had held again: the time at which the fault ended is too uncertain to tell. */
  readonly doubtful: readonly string[]
  /** Names of the probes that alone keep the steady state from having held again, because their data is from before the fault ended. */
  readonly old: readonly string[]
  /** Whether the probes named for it held again while the fault was in force, and since when; `undefined`: not asked for. */
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

/** When the steady state can have held again at the earliest, had the fault ended as early as it may have. */
function earliestHeld(experiment: Experiment, evidence: Evidence, { t4, t7 }: Marks): number {
  if (t4 === undefined || t7 === undefined) return Number.POSITIVE_INFINITY
  return Math.min(t7.at, steadyAgain(experiment, evidence, t4.at - t4.errorMs)?.heldAt ?? t7.at)
}

/** Probes whose readings hold well enough, and are not from after a moment; none where others do not hold either. */
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

/** Readings that were out of bounds or gave no data when the method had begun and nothing was broken yet: no fault is to blame for them. */
export function badBefore(curve: Curve, { methodAt = 0, injections }: Evidence): Curve['samples'] {
  const brokenAt = Math.min(...injections.map(({ askedAt }) => askedAt))
  return badSince(curve, methodAt).filter(({ at }) => at < brokenAt)
}

/** Readings from a moment on that were out of bounds or gave no data. */
export function badSince({ samples }: Curve, since: number): Curve['samples'] {
  return samples.filter(({ at, isGood }) => at >= since && !isGood)
}
