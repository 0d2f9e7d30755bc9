import type { LoadReading, LoadReport } from './report.js'

/** How much a load must do. */
export interface LoadDemand {
  /** Requests that must be sent each second, and writes that must be acknowledged. */
  readonly atLeastPerSecond: number
}

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

/** So many requests and writes are enough to know a rate. */
const TELLING_COUNT = 3
/** Shortest and longest stretch of time that is wanted for a rate, in ms. */
const MIN_SPAN_MS = 1_000
const MAX_SPAN_MS = 60_000

/** The shortest stretch of time that shows the rate of a load, in ms: for one that is busy, and for one that just does what it must. */
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

/** Whether readings show the rate of a load: they span enough time for what happened in it. */
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

/** What happened between the first of some readings and the last. */
export interface Counted {
  readonly count: number
  readonly perSecond: number
  /** Less than so many each second, by more than the one that may lie just outside. */
  isBelow(atLeastPerSecond: number): boolean
}

/** Counts what happened between the first of these readings and the last. `undefined`: nothing spans a time. */
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

/** Why a load is not fit to begin with, if so: it must be sent and served. */
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
