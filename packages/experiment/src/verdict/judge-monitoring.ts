import { withoutSlash } from '../shared/address.js'
import { isControlRun } from '../model/control-run.js'
import { probesOf, type Experiment } from '../model/experiment.js'
import { monitoringOf } from '../probes/probe-types.js'
import { clockOffset } from '../evidence/clock-offset.js'
import type { Evidence, Marks, Monitor } from '../evidence/evidence.js'
import { hasLookedSince, maxStandstillMs, subjectOf } from '../evidence/signs-of-life.js'
import { seconds } from './words.js'

/** Why the monitoring system may have missed events; `undefined`: it was watching throughout. */
export function monitoringProblem(experiment: Experiment, evidence: Evidence, { t4, t7 }: Marks): string | undefined {
  const { monitors, alertReadings, gate, methodAt = 0, watchedUntil } = evidence
  for (const monitor of monitors) {
    const isAlertSource = alertReadings.some(({ source }) => source === monitor.source)
    const still = standstill(monitor, gate.from, watchedUntil, isAlertSource)
    if (still !== undefined) return still
    // While a fault is in force, failing scrapes may be an effect of the fault.
    const blind = monitor.readings.find(
      ({ at, isBlind }) =>
        isBlind && at >= gate.from && (isControlRun(experiment) || at < methodAt || (t7 !== undefined && at >= t7.at)),
    )
    if (blind !== undefined)
      return `${monitor.source} says that no target can be scraped${blind.problem === undefined ? '' : ` (${blind.problem})`}.`
    const wrong = newProblem(monitor, methodAt)
    if (wrong !== undefined)
      return `${monitor.source} reports a problem at the end that it did not have before the method: ${wrong}.`
    if (!hasLookedSince(monitor, t4?.at ?? methodAt, isAlertSource))
      return `${monitor.source} did not evaluate its rules and scrape its targets again after ${t4 === undefined ? 'the method had begun' : 'the fault had ended'}: what it shows is older.`
  }
  const isWatched = experiment.alerts !== undefined || alertReadings.length > 0
  if (
    isWatched &&
    !monitors.some(
      ({ readings, source }) =>
        alertReadings.some((one) => one.source === source) &&
        readings.some(({ evaluatedAt }) => evaluatedAt !== undefined),
    )
  ) {
    return 'No source of alerts shows that rules are evaluated. Add a Prometheus, or name an alert that always fires as the `watchdog` of the Alertmanager.'
  }
  for (const { probe } of probesOf(experiment)) {
    const url = monitoringOf(probe)
    if (url === undefined) continue
    const isSeen = monitors.some(
      ({ source, readings }) =>
        withoutSlash(source) === url && readings.some(({ scrapedAt }) => scrapedAt !== undefined),
    )
    if (!isSeen) return `${probe.name}: the monitoring at ${url} does not show that it scrapes its targets.`
  }
  return undefined
}

/** A problem that the last two answers report and no answer before the method did. Failed scrapes collect no data. */
function newProblem({ readings }: Monitor, methodAt: number): string | undefined {
  const [before, since] = [readings.filter(({ at }) => at < methodAt), readings.filter(({ at }) => at >= methodAt)]
  const known = new Set(before.flatMap(({ problem }) => (problem === undefined ? [] : [subjectOf(problem)])))
  const lasts = since.slice(-2)
  return lasts.length === 2 && lasts.every(({ problem }) => problem !== undefined && !known.has(subjectOf(problem)))
    ? lasts[1]?.problem
    : undefined
}

/** Why evaluations or scrapes may have stalled for too long; `undefined`: they continued. */
function standstill(
  { source, readings, clock, ruleIntervalMs, scrapeIntervalMs }: Monitor,
  from: number,
  until: number,
  isAlertSource: boolean,
): string | undefined {
  const offset = clockOffset(clock)
  const signs = [
    ['evaluatedAt', 'Alert rules were not evaluated', ruleIntervalMs, isAlertSource],
    ['scrapedAt', 'Targets were not scraped', scrapeIntervalMs, true],
  ] as const
  for (const [sign, words, intervalMs, isNeeded] of signs) {
    const told = readings.flatMap(({ at, [sign]: moment }) => (moment === undefined ? [] : [{ at, moment }]))
    if (!isNeeded) continue
    const problem = readings.find((reading) => reading.problem !== undefined)?.problem
    if (told.length === 0) {
      // A source without signs of life is acceptable, but a source that reports a problem every time is not.
      if (sign === 'evaluatedAt' && problem !== undefined && readings.every((reading) => reading.problem !== undefined))
        return `${source} never showed that alert rules are evaluated (${problem}).`
      continue
    }
    const boundMs = maxStandstillMs(intervalMs)
    // The last advance by this process's clock: as reported if the clock offset is known, at the latest when first
    // seen.
    let movedAt = from
    let moment = Number.NEGATIVE_INFINITY
    let longestMs = 0
    for (const one of told) {
      // Time 0 means "never yet": a monitoring system that has just started. The wait then counts from the start.
      if (one.moment > Math.max(moment, 0)) {
        moment = one.moment
        const at = Math.min(one.at, offset === undefined ? one.at : one.moment - offset.offsetMs + offset.errorMs)
        // Nothing is known about the time between two signs of life.
        longestMs = Math.max(longestMs, at - Math.max(movedAt, from))
        movedAt = at
      }
      if (one.at >= from) longestMs = Math.max(longestMs, one.at - movedAt)
    }
    longestMs = Math.max(longestMs, until - Math.max(movedAt, from), gapBefore(told, from))
    if (longestMs > boundMs)
      return `${words} by ${source} for ${seconds(longestMs)}, expected at most ${seconds(boundMs)}${problem === undefined ? '' : ` (${problem})`}.`
  }
  return undefined
}

/** The time from the start to the first sign of life. */
function gapBefore(told: readonly { readonly at: number }[], from: number): number {
  const first = told.find(({ at }) => at >= from)
  return first === undefined ? Number.POSITIVE_INFINITY : first.at - from
}
