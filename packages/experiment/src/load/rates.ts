import type { LoadReading, LoadReport } from './report.js'

/** The rate that a load must reach. */
export interface LoadDemand {
  /** Requests that must be sent, and writes that must be acknowledged, each second. */
  readonly atLeastPerSecond: number
}

/** A reading that succeeded. */
export interface ReadReport {
  readonly at: number
  readonly report: LoadReport
}

export function readReports(readings: readonly LoadReading[]): readonly ReadReport[] {
  return readings.flatMap(({ at, report }) => (report === undefined ? [] : [{ at, report }]))
}

/**
 * The readings of the last `spanMs` before a moment, and the reading before them, so that they cover the whole span.
 */
export function lastSecondsOf(readings: readonly LoadReading[], now: number, spanMs: number): readonly LoadReading[] {
  const first = readings.map(({ at }) => at <= now - spanMs).lastIndexOf(true)
  return first === -1 ? [] : readings.slice(first)
}

/** The number of requests or writes that is enough to measure a rate. */
const TELLING_COUNT = 3
/** The shortest and the longest span for measuring a rate, in ms. */
const MIN_SPAN_MS = 1_000
const MAX_SPAN_MS = 60_000

/** The shortest spans that show a load's rate, in ms: for a busy load, and for a load at its required rate. */
export function spansOf(
  { atLeastPerSecond }: LoadDemand,
  holdForMs: number,
): readonly [busyMs: number, slowMs: number] {
  const busyMs = Math.max(holdForMs, MIN_SPAN_MS)
  return [
    busyMs,
    atLeastPerSecond === 0
      ? busyMs
      : Math.max(busyMs, Math.min(MAX_SPAN_MS, (TELLING_COUNT * 1_000) / atLeastPerSecond)),
  ]
}

/** Whether readings span enough time to show the rate of a load. */
export function isTelling(load: LoadDemand, holdForMs: number, readings: readonly LoadReading[]): boolean {
  const [first, last] = [readings[0], readings.at(-1)]
  if (first === undefined || last === undefined) return false
  const [busyMs, slowMs] = spansOf(load, holdForMs)
  const spanMs = last.at - first.at
  const isBusy = (['requests', 'acknowledged'] as const).every(
    (name) => (counted(readings, name)?.count ?? 0) >= TELLING_COUNT,
  )
  return spanMs >= (isBusy ? busyMs : slowMs)
}

/** The increase of a counter between the first and the last of several readings. */
export interface Counted {
  readonly count: number
  readonly perSecond: number
  /** Whether the rate is below a limit by more than the one event that may fall just outside the span. */
  isBelow(atLeastPerSecond: number): boolean
}

/** The increase of a counter between the first and the last reading. `undefined`: the readings span no time. */
export function counted(readings: readonly LoadReading[], name: 'requests' | 'acknowledged'): Counted | undefined {
  const reports = readReports(readings)
  const [first, last] = [reports[0], reports.at(-1)]
  if (first === undefined || last === undefined || last.at <= first.at) return undefined
  const [count, seconds] = [last.report[name] - first.report[name], (last.at - first.at) / 1_000]
  return {
    count,
    perSecond: count / seconds,
    isBelow: (atLeastPerSecond) => (count <= 0 ? atLeastPerSecond > 0 : count + 1 < atLeastPerSecond * seconds),
  }
}

/** Why the load is not ready before the method: its requests must be sent and its writes acknowledged. */
export function loadProblemBefore(
  { atLeastPerSecond }: LoadDemand,
  readings: readonly LoadReading[],
): string | undefined {
  const unread = readings.at(-1)
  if (unread === undefined) return 'the load was not read for long enough'
  if (unread.report === undefined) return `the load could not be read (${unread.problem ?? 'unknown reason'})`
  for (const [name, words] of [
    ['requests', 'sent'],
    ['acknowledged', 'had acknowledged'],
  ] as const) {
    const count = counted(readings, name)
    if (count === undefined) return 'the load was not read for long enough'
    if (count.perSecond <= 0 || count.isBelow(atLeastPerSecond))
      return `the load ${words} ${count.perSecond.toFixed(1)} ${name === 'requests' ? 'requests' : 'writes'} a second, expected at least ${atLeastPerSecond}`
  }
  return undefined
}
