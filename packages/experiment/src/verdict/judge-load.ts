import { lastSecondsOf, loadProblemBefore, perSecond, readReports, type ReadReport } from '../load/phases.js'
import { LOAD_COUNTS, type LoadCount } from '../load/report.js'
import type { Experiment, LoadInput } from '../model/experiment.js'
import type { Evidence, LoadReading, Marks } from '../run/evidence.js'
import { seconds } from './words.js'

/** What the load shows. Each is `undefined` where there is nothing to say. */
export interface LoadFindings {
  /** Why the load, or the machine that makes it, cannot be trusted. */
  readonly untrusted: string | undefined
  /** What it shows to be wrong with the system. */
  readonly weakness: string | undefined
  /** What it does not show, although a pass needs it. */
  readonly missing: string | undefined
}

/** The longest time without a report, or without a request of a load that waits for no answer, in ms. */
const MAX_GAP_MS = 5_000

const COUNT_WORDS: Readonly<Record<Exclude<LoadCount, 'requests' | 'acknowledged'>, string>> = {
  failed: 'requests failed',
  rejected: 'requests were rejected',
  lost: 'acknowledged writes were lost',
  damaged: 'acknowledged writes were damaged',
  duplicated: 'writes were there or delivered more than once',
  reordered: 'writes were delivered out of order',
  undelivered: 'writes were not delivered in time',
}

export function judgeLoad({ load, steadyState: { holdForMs } }: Experiment, evidence: Evidence, marks: Marks): LoadFindings {
  const nothing = { untrusted: undefined, weakness: undefined, missing: undefined }
  if (load === undefined) return nothing
  const { readings, final } = evidence.load ?? { readings: [], final: undefined }
  const { methodAt, watchedUntil } = evidence
  if (methodAt === undefined) return { ...nothing, untrusted: tooSlow(load, readings) }
  const reports = readReports(readings)
  const since = reports.filter(({ at }) => at >= methodAt)
  const before = reports.filter(({ at }) => at < methodAt).at(-1)
  return {
    untrusted: tooSlow(load, readings),
    weakness: stuck(load, final === undefined ? since : [...since, ...readReports([final])]) ?? excess(load, before, since, final) ?? notServed(load, recovered(readings, holdForMs, marks, watchedUntil)),
    missing:
      unread(readings, evidence) ??
      restarted(reports, final) ??
      (before === undefined ? 'The load was not read before the method began.' : undefined) ??
      tooLittle(load, readings, evidence, recovered(readings, holdForMs, marks, watchedUntil)) ??
      unlooked(before, final),
  }
}

function tooSlow({ maxOwnDelayMs }: LoadInput, readings: readonly LoadReading[]): string | undefined {
  const worst = Math.max(0, ...readReports(readings).map(({ report }) => report.ownDelayMs))
  return worst > maxOwnDelayMs ? `the machine was too slow: the event loop of the load was ${Math.round(worst)} ms late, expected at most ${maxOwnDelayMs} ms` : undefined
}

/** Requests that are never answered. */
function stuck({ stuckAfterMs }: LoadInput, reports: readonly ReadReport[]): string | undefined {
  const worst = reports.find(({ report }) => report.oldestUnderWayMs > stuckAfterMs)?.report
  return worst === undefined ? undefined : `${worst.underWay} requests were under way without an answer, the oldest for ${seconds(worst.oldestUnderWayMs)}, expected at most ${seconds(stuckAfterMs)}.`
}

/** More of something than the experiment allows. */
function excess({ atMost }: LoadInput, before: ReadReport | undefined, since: readonly ReadReport[], final: LoadReading | undefined): string | undefined {
  const last = final?.report ?? since.at(-1)?.report
  if (before === undefined || last === undefined) return undefined
  const wrong = (Object.keys(COUNT_WORDS) as (keyof typeof COUNT_WORDS)[]).flatMap((name) => {
    const count = Math.max(last[name], ...since.map(({ report }) => report[name])) - before.report[name]
    return count > atMost[name] ? [`${count} ${COUNT_WORDS[name]}, expected at most ${atMost[name]}`] : []
  })
  if (wrong.length === 0) return undefined
  const offenders = last.offenders.slice(0, 3).join('; ')
  return `${wrong.join('; ')}${offenders === '' ? '' : ` (${offenders})`}.`
}

/** The readings of the stretch in which the steady state held again, or of the last one where it did not. */
function recovered(readings: readonly LoadReading[], holdForMs: number, { t4, t7 }: Marks, watchedUntil: number): readonly LoadReading[] {
  if (t4 === undefined) return []
  return lastSecondsOf(readings.filter(({ at }) => at <= (t7?.at ?? watchedUntil)), t7?.at ?? watchedUntil, Math.max(holdForMs, 1_000))
}

/** A load that is sent, but no longer served once the system counts as recovered. */
function notServed({ atLeastPerSecond }: LoadInput, held: readonly LoadReading[]): string | undefined {
  const [sent, served] = [perSecond(held, 'requests'), perSecond(held, 'acknowledged')]
  if (sent === undefined || served === undefined || sent < atLeastPerSecond) return undefined
  return served < atLeastPerSecond || served === 0 ? `The load was sent ${sent.toFixed(1)} times a second after recovery, and ${served.toFixed(1)} writes a second were acknowledged, expected at least ${atLeastPerSecond}.` : undefined
}

function unread(readings: readonly LoadReading[], { gate, watchedUntil }: Evidence): string | undefined {
  const times = [gate.from, ...readReports(readings).map(({ at }) => at), watchedUntil]
  const gap = Math.max(...times.map((at, index) => at - (times[index - 1] ?? at)))
  if (gap <= MAX_GAP_MS) return undefined
  const problem = readings.find((reading) => reading.problem !== undefined)?.problem
  return `The load could not be read for ${seconds(gap)}${problem === undefined ? '' : ` (${problem})`}.`
}

/** A counter that goes back belongs to another load: nothing can be said of what the first one acknowledged. */
function restarted(reports: readonly ReadReport[], final: LoadReading | undefined): string | undefined {
  const all = [...reports, ...(final === undefined ? [] : readReports([final]))]
  const fell = LOAD_COUNTS.find((name) => all.some(({ report }, index) => report[name] < (all[index - 1]?.report[name] ?? 0)))
  if (fell !== undefined) return `The load was started anew in mid-run: its counter \`${fell}\` went back.`
  const stale = all.some(({ at, report }, index) => {
    const earlier = all[index - 1]
    return earlier !== undefined && at > earlier.at && report.at <= earlier.report.at
  })
  return stale ? 'The report of the load stood still: its own time did not go on.' : undefined
}

/** Phases of the run in which the load was hardly there. */
function tooLittle(load: LoadInput, readings: readonly LoadReading[], { gate, methodAt = 0, watchedUntil }: Evidence, held: readonly LoadReading[]): string | undefined {
  const gateReadings = readings.filter(({ at }) => at >= gate.from && at <= methodAt)
  const beforehand = loadProblemBefore(load, gateReadings)
  if (beforehand !== undefined) return `Before anything was broken, ${beforehand}.`
  const { atLeastPerSecond } = load
  const during = readings.filter(({ at }) => at >= methodAt && at <= watchedUntil)
  const rate = perSecond(during, 'requests')
  if (rate === undefined || rate < atLeastPerSecond) return `The load sent ${(rate ?? 0).toFixed(1)} requests a second after the method had begun, expected at least ${atLeastPerSecond}.`
  const heldRate = held.length === 0 ? undefined : perSecond(held, 'requests')
  if (heldRate !== undefined && heldRate < atLeastPerSecond) return `The load sent ${heldRate.toFixed(1)} requests a second once the system had recovered, expected at least ${atLeastPerSecond}.`
  const reports = readReports(during)
  for (const [index, { at, report }] of reports.entries()) {
    const later = reports.find((one, place) => place > index && one.at >= at + MAX_GAP_MS)
    if (later === undefined) break
    const between = reports.filter((one) => one.at >= at && one.at <= later.at)
    // A load that waits for answers sends nothing meanwhile.
    if (later.report.requests === report.requests && between.some(({ report: { underWay } }) => underWay === 0)) return `The load sent nothing for ${seconds(later.at - at)}.`
  }
  return undefined
}

/** Whether the load has looked for everything at the end. */
function unlooked(before: ReadReport | undefined, final: LoadReading | undefined): string | undefined {
  if (final?.report === undefined) return `The load did not look for what was acknowledged${final?.problem === undefined ? '' : ` (${final.problem})`}.`
  const known = before?.report.acknowledged ?? 0
  return final.report.verified < known ? `The load looked for ${final.report.verified} of ${known} acknowledged writes.` : undefined
}
