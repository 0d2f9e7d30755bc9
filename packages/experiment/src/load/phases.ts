import type { LoadInput } from '../model/experiment.js'
import type { LoadReading } from '../run/evidence.js'
import type { LoadReport } from './report.js'

/** A reading that could be read. */
export interface ReadReport {
  readonly at: number
  readonly report: LoadReport
}

export function readReports(readings: readonly LoadReading[]): readonly ReadReport[] {
  return readings.flatMap(({ at, report }) => (report === undefined ? [] : [{ at, report }]))
}

/** The readings of the last `spanMs` before a moment, with the one before them, so that they span all of it. */
export function lastSecondsOf(readings: readonly LoadReading[], now: number, spanMs: number): readonly LoadReading[] {
  const first = readings.map(({ at }) => at <= now - spanMs).lastIndexOf(true)
  return first === -1 ? [] : readings.slice(first)
}

/** What happened each second between the first of these readings and the last. `undefined`: nothing spans a time. */
export function perSecond(readings: readonly LoadReading[], name: 'requests' | 'acknowledged'): number | undefined {
  const reports = readReports(readings)
  const [first, last] = [reports[0], reports.at(-1)]
  if (first === undefined || last === undefined || last.at <= first.at) return undefined
  return ((last.report[name] - first.report[name]) * 1_000) / (last.at - first.at)
}

/** Why a load is not fit to begin with, if so: it must be sent and served. */
export function loadProblemBefore({ atLeastPerSecond }: LoadInput, readings: readonly LoadReading[]): string | undefined {
  const unread = readings.at(-1)
  if (unread === undefined) return 'the load was not read for long enough'
  if (unread.report === undefined) return `the load could not be read (${unread.problem ?? 'unknown reason'})`
  for (const [name, words] of [['requests', 'sent'], ['acknowledged', 'had acknowledged']] as const) {
    const rate = perSecond(readings, name)
    if (rate === undefined) return 'the load was not read for long enough'
    if (rate < atLeastPerSecond || rate === 0) return `the load ${words} ${rate.toFixed(1)} ${name === 'requests' ? 'requests' : 'writes'} a second, expected at least ${atLeastPerSecond}`
  }
  return undefined
}
