import { counted, isTelling, loadProblemBefore, readReports, spansOf, type ReadReport } from '../load/rates.js'
import { LOAD_COUNTS, loadSince, type LoadCount, type LoadReading } from '../load/report.js'
import type { Experiment, LoadInput } from '../model/experiment.js'
import { largest, longestGap } from '../shared/numbers.js'
import type { Evidence, Marks } from '../evidence/evidence.js'
import { seconds } from './words.js'

/** Conclusions from the load's reports. Each is `undefined` if it does not apply. */
export interface LoadFindings {
  /** Why the load, or the machine that sends it, cannot be trusted. */
  readonly untrusted: string | undefined
  /** The weakness of the system that the load shows. */
  readonly weakness: string | undefined
  /** The evidence that a pass needs but the load does not provide. */
  readonly missing: string | undefined
}

/** The longest allowed time without a report, or without a request while none is in flight, in ms. */
const MAX_GAP_MS = 5_000

/** The number of missing requests that makes a pause noticeable. */
const TELLING_PAUSE = 2

const COUNT_WORDS: Readonly<Record<Exclude<LoadCount, 'requests' | 'acknowledged'>, string>> = {
  failed: 'requests failed',
  rejected: 'requests were rejected',
  lost: 'acknowledged writes were lost',
  damaged: 'acknowledged writes were damaged',
  duplicated: 'writes were there or delivered more than once',
  reordered: 'writes were delivered out of order',
  undelivered: 'writes were not delivered in time',
}

export function judgeLoad(
  { load, steadyState: { holdForMs } }: Experiment,
  evidence: Evidence,
  marks: Marks,
): LoadFindings {
  const nothing = { untrusted: undefined, weakness: undefined, missing: undefined }
  if (load === undefined) return nothing
  const { readings, final } = evidence.load ?? { readings: [], final: undefined }
  const { methodAt, watchedUntil } = evidence
  const held = recovered(readings, marks, watchedUntil)
  const isKnown = marks.t5 === undefined || isTelling(load, holdForMs, held)
  if (methodAt === undefined) return { ...nothing, untrusted: tooSlow(load, readings) }
  const reports = readReports(readings)
  const since = reports.filter(({ at }) => at >= methodAt)
  const before = reports.filter(({ at }) => at < methodAt).at(-1)
  return {
    untrusted: tooSlow(load, readings),
    weakness:
      stuck(load, final === undefined ? since : [...since, ...readReports([final])]) ??
      excess(load, reports[0], before, since, final) ??
      (isKnown ? notServed(load, held) : undefined),
    missing:
      unread(readings, evidence) ??
      restarted(reports, final) ??
      (before === undefined ? 'The load was not read before the method began.' : undefined) ??
      tooLittle(load, readings, evidence, held) ??
      paused(load, reports, marks) ??
      (isKnown ? undefined : 'The load was not read for long enough after the system had recovered.') ??
      unverified(reports.at(-1), final),
  }
}

function tooSlow({ maxOwnDelayMs }: LoadInput, readings: readonly LoadReading[]): string | undefined {
  const worst = largest(
    readReports(readings).map(({ report }) => report.ownDelayMs),
    0,
  )
  return worst > maxOwnDelayMs
    ? `the machine was too slow: the event loop of the load was ${Math.round(worst)} ms late, expected at most ${maxOwnDelayMs} ms`
    : undefined
}

/** Requests that stayed without an answer for too long. */
function stuck({ stuckAfterMs }: LoadInput, reports: readonly ReadReport[]): string | undefined {
  const worst = reports.find(({ report }) => report.oldestUnderWayMs > stuckAfterMs)?.report
  return worst === undefined
    ? undefined
    : `${worst.underWay} requests were under way without an answer, the oldest for ${seconds(worst.oldestUnderWayMs)}, expected at most ${seconds(stuckAfterMs)}.`
}

/**
 * Counters above the limits of the experiment.
 *
 * @param first The report before the run, whose offenders are not named.
 */
function excess(
  { atMost }: LoadInput,
  first: ReadReport | undefined,
  before: ReadReport | undefined,
  since: readonly ReadReport[],
  final: LoadReading | undefined,
): string | undefined {
  const last = final?.report ?? since.at(-1)?.report
  if (before === undefined || last === undefined) return undefined
  const wrong = (Object.keys(COUNT_WORDS) as (keyof typeof COUNT_WORDS)[]).flatMap((name) => {
    const count =
      largest(
        since.map(({ report }) => report[name]),
        last[name],
      ) - before.report[name]
    return count > atMost[name] ? [`${count} ${COUNT_WORDS[name]}, expected at most ${atMost[name]}`] : []
  })
  if (wrong.length === 0) return undefined
  const offenders = loadSince(last, first?.report).offenders.slice(0, 3).join('; ')
  return `${wrong.join('; ')}${offenders === '' ? '' : ` (${offenders})`}.`
}

/** The readings since the steady state was back. */
function recovered(readings: readonly LoadReading[], { t5 }: Marks, watchedUntil: number): readonly LoadReading[] {
  return t5 === undefined ? [] : readings.filter(({ at }) => at >= t5.at && at <= watchedUntil)
}

/** A load whose requests are sent but not acknowledged after recovery. */
function notServed(load: LoadInput, held: readonly LoadReading[]): string | undefined {
  const { atLeastPerSecond } = load
  const silentMs = longestUnserved(readReports(held))
  if (atLeastPerSecond > 0 && silentMs >= Math.max(MAX_GAP_MS, spansOf(load, 0)[1]))
    return `No write was acknowledged for ${seconds(silentMs)} after recovery, although the load was sent.`
  const [sent, served] = [counted(held, 'requests'), counted(held, 'acknowledged')]
  if (sent === undefined || served === undefined || sent.isBelow(atLeastPerSecond) || !served.isBelow(atLeastPerSecond))
    return undefined
  return `The load was sent ${sent.perSecond.toFixed(1)} times a second after recovery, and ${served.perSecond.toFixed(1)} writes a second were acknowledged, expected at least ${atLeastPerSecond}.`
}

/** The longest time without an acknowledgement while requests were sent, in ms. */
function longestUnserved(reports: readonly ReadReport[]): number {
  let longestMs = 0
  let since = reports[0]
  for (const one of reports) {
    if (one.report.acknowledged !== since?.report.acknowledged) since = one
    else if (one.report.requests > since.report.requests) longestMs = Math.max(longestMs, one.at - since.at)
  }
  return longestMs
}

function unread(readings: readonly LoadReading[], { gate, watchedUntil }: Evidence): string | undefined {
  const times = [gate.from, ...readReports(readings).map(({ at }) => at), watchedUntil]
  const gap = longestGap(times)
  if (gap <= MAX_GAP_MS) return undefined
  const problem = readings.find((reading) => reading.problem !== undefined)?.problem
  return `The load could not be read for ${seconds(gap)}${problem === undefined ? '' : ` (${problem})`}.`
}

/** A decreasing counter belongs to a restarted load, which no longer knows the writes acknowledged before. */
function restarted(reports: readonly ReadReport[], final: LoadReading | undefined): string | undefined {
  const all = [...reports, ...(final === undefined ? [] : readReports([final]))]
  const fell = LOAD_COUNTS.find((name) =>
    all.some(({ report }, index) => report[name] < (all[index - 1]?.report[name] ?? 0)),
  )
  if (fell !== undefined) return `The load was restarted during the run: its counter \`${fell}\` went back.`
  const stale = all.some(({ at, report }, index) => {
    const earlier = all[index - 1]
    return earlier !== undefined && at > earlier.at && report.at <= earlier.report.at
  })
  return stale ? 'The report of the load stood still: its time `at` did not advance.' : undefined
}

/** Phases of the run in which the load sent too little. */
function tooLittle(
  load: LoadInput,
  readings: readonly LoadReading[],
  { gate, methodAt = 0, watchedUntil }: Evidence,
  held: readonly LoadReading[],
): string | undefined {
  const gateReadings = readings.filter(({ at }) => at >= gate.from && at <= methodAt)
  const beforehand = loadProblemBefore(load, gateReadings)
  if (beforehand !== undefined) return `Before anything was broken, ${beforehand}.`
  const { atLeastPerSecond } = load
  const during = readings.filter(({ at }) => at >= methodAt && at <= watchedUntil)
  for (const [phase, words] of [
    [during, 'after the method had begun'],
    [held, 'once the system had recovered'],
  ] as const) {
    const sent = counted(phase, 'requests')
    if (phase === during ? (sent?.isBelow(atLeastPerSecond) ?? true) : sent?.isBelow(atLeastPerSecond) === true)
      return `The load sent ${(sent?.perSecond ?? 0).toFixed(1)} requests a second ${words}, expected at least ${atLeastPerSecond}.`
  }
  const idleMs = longestIdle(readReports(during))
  return idleMs >= Math.max(MAX_GAP_MS, spansOf(load, 0)[1]) && atLeastPerSecond > 0
    ? `The load sent nothing for ${seconds(idleMs)}.`
    : undefined
}

/** A load that pauses for most of the outage does not show its effect, however short the outage is. */
function paused(
  { atLeastPerSecond }: LoadInput,
  reports: readonly ReadReport[],
  { t0, t4 }: Marks,
): string | undefined {
  if (t0 === undefined || t4 === undefined) return undefined
  const idleMs = longestIdle(reports.filter(({ at }) => at >= t0.at && at <= t4.at))
  return 2 * idleMs > t4.at - t0.at && (idleMs / 1_000) * atLeastPerSecond >= TELLING_PAUSE
    ? `The load sent nothing for ${seconds(idleMs)} while the fault was in force, which lasted ${seconds(t4.at - t0.at)}.`
    : undefined
}

/** The longest time without a request, in ms. A load that waits for answers is not idle. */
function longestIdle(reports: readonly ReadReport[]): number {
  let longestMs = 0
  let since = reports[0]
  let wasIdle = false
  for (const one of reports) {
    if (one.report.requests !== since?.report.requests) [since, wasIdle] = [one, false]
    wasIdle ||= one.report.underWay === 0
    if (wasIdle) longestMs = Math.max(longestMs, one.at - since.at)
  }
  return longestMs
}

/** Why the load did not verify all acknowledged writes at the end; `undefined`: it did. */
function unverified(last: ReadReport | undefined, final: LoadReading | undefined): string | undefined {
  if (final?.report === undefined)
    return `The load did not verify the acknowledged writes${final?.problem === undefined ? '' : ` (${final.problem})`}.`
  const known = last?.report.acknowledged ?? 0
  return final.report.verified < known
    ? `The load verified ${final.report.verified} of ${known} acknowledged writes.`
    : undefined
}
