import { shown } from '../shared/answer.js'
import type { MetricProbe, SeriesSelector } from '../model/experiment.js'
import { compilePattern, type Budget } from './pattern.js'
import { numberOf } from './line-scanner.js'
import { isKnown, readMetricsPage, type TextSample } from './prometheus-text.js'
import { counterWindow } from './window.js'

/** What a source came to: a number that was read, or what stands for "nothing happened" of a series that is there. */
export interface Measurement {
  readonly value: number
  readonly quality: 'measured' | 'idle'
  /** When the data is from, by the clock of its source, in ms since the epoch; `undefined` where the source does not tell. */
  readonly dataAt?: number
}

/** A selector that is ready to match. */
interface Selection {
  readonly series: string
  isMeant(sample: TextSample, budget: Budget): boolean
}

/** Steps that matching the labels of one page may take. */
const STEPS_PER_PAGE = 5_000_000

/**
 * Makes one number of each page of metrics. A window is looked back over the pages read before.
 *
 * `emptyIs` stands for a series without samples, or in which nothing happened, only while the page knows the series by its name: what was renamed
 * or taken out is no data.
 */
export function metricReader(
  probe: MetricProbe,
): (page: string, at: number, options?: { readonly mustEnd?: boolean }) => Measurement {
  const meant = selectionOf(probe, probe.quantile === undefined ? probe.series : `${probe.series}_bucket`)
  const whole = probe.outOf === undefined ? undefined : selectionOf(probe.outOf, probe.outOf.series)
  const selections = whole === undefined ? [meant] : [meant, whole]
  const names = new Set(selections.map(({ series }) => series))
  const window = probe.windowMs === undefined ? undefined : counterWindow(probe.windowMs)

  return (text, at, options = {}) => {
    const page = readMetricsPage(text, names, options)
    const budget = { steps: STEPS_PER_PAGE }
    const selected = page.samples.filter((sample) => selections.some((selection) => selection.isMeant(sample, budget)))
    const unknown = selections.find(({ series }) => !isKnown(series, page))
    if (unknown !== undefined) {
      // A window learns that a series went, from what is a page of metrics.
      if (page.declared.size > 0) window?.count(selected.map(asCounter), at)
      throw new Error(`there is no series ${shown(unknown.series)} on the page, with any labels`)
    }
    window?.count(selected.map(asCounter), at)
    const samples = window === undefined ? selected : window.increases()
    const valuesOf = (selection: Selection): readonly TextSample[] =>
      samples.filter((sample) => selection.isMeant(sample, budget))

    const part = valuesOf(meant)
    if (part.length === 0) {
      const nothing = idle(probe, `no series ${shown(meant.series)} with these labels`)
      // None of something that did happen is a share like any other.
      return whole !== undefined &&
        reduced(
          { ...probe, reduce: 'sum' },
          valuesOf(whole).map((sample) => sample.value),
        ) > 0
        ? { ...nothing, quality: 'measured' }
        : nothing
    }
    const value =
      probe.quantile === undefined
        ? reduced(
            probe,
            part.map((sample) => sample.value),
          )
        : quantileOf(probe.quantile, part)
    if (whole === undefined)
      return Number.isNaN(value) ? idle(probe, 'nothing happened') : { value, quality: 'measured' }
    const total = reduced(
      { ...probe, reduce: 'sum' },
      valuesOf(whole).map((sample) => sample.value),
    )
    if (total !== 0)
      return Number.isNaN(value / total)
        ? idle(probe, 'nothing happened')
        : { value: value / total, quality: 'measured' }
    // A share of nothing is no share, unless the part is nothing too.
    if (value !== 0 && !Number.isNaN(value))
      throw new Error(`expected a share, got ${value} out of 0 of ${shown(whole.series)}`)
    return idle(probe, window === undefined ? 'nothing happened' : 'nothing happened in the window')
  }
}

/** @throws An error in words, unless the experiment says what nothing counts as */
function idle({ emptyIs }: MetricProbe, problem: string): Measurement {
  if (emptyIs === undefined) throw new Error(problem)
  return { value: emptyIs, quality: 'idle' }
}

function selectionOf({ labels = {}, labelsMatch = {} }: SeriesSelector, series: string): Selection {
  const patterns = Object.entries(labelsMatch).map(([label, pattern]) => [label, compilePattern(pattern)] as const)
  const textOf = (sample: TextSample, label: string): string =>
    Object.hasOwn(sample.labels, label) ? (sample.labels[label] ?? '') : ''
  return {
    series,
    isMeant: (sample, budget) =>
      sample.series === series &&
      Object.entries(labels).every(([label, value]) => textOf(sample, label) === value) &&
      patterns.every(([label, matches]) => matches(textOf(sample, label), budget)),
  }
}

function asCounter(sample: TextSample): TextSample {
  if (Number.isFinite(sample.value) && sample.value >= 0) return sample
  throw new Error(
    `expected ${shown(sample.series)} to be a counter, got ${sample.value}: \`windowMs\` is for counters and histograms`,
  )
}

function reduced({ reduce, outOf, series }: MetricProbe, values: readonly number[]): number {
  const missing = values.filter((value) => Number.isNaN(value)).length
  // All of them: nothing happened. One of them: what the others come to is not the whole.
  if (missing > 0 && missing < values.length) throw new Error(`${missing} of ${values.length} series are NaN`)
  const [first] = values
  if (reduce === 'min') return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY)
  if (reduce === 'max') return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  if (reduce === 'sum' || outOf !== undefined) return values.reduce((total, value) => total + value, 0)
  if (first === undefined || values.length > 1)
    throw new Error(`expected one series ${shown(series)}, got ${values.length}: say \`reduce\`, or more labels`)
  return first
}

/**
 * A quantile as Prometheus' `histogram_quantile` estimates it: straight within a bucket, the last finite bound beyond. NaN: nothing was observed.
 *
 * @throws An error in words for buckets that are no histogram: without a bound, without the last one, `+Inf`, or without any other
 */
export function quantileOf(quantile: number, buckets: readonly TextSample[]): number {
  const counts = new Map<number, number>()
  for (const { labels, value } of buckets) {
    const bound = numberOf(labels['le'] ?? '')
    if (bound === undefined || Number.isNaN(bound) || Number.isNaN(value))
      throw new Error(
        `expected buckets of a histogram, got one with the bound "${shown(labels['le'] ?? '')}" and ${value}`,
      )
    counts.set(bound, (counts.get(bound) ?? 0) + value)
  }
  if (!counts.has(Number.POSITIVE_INFINITY))
    throw new Error('expected buckets of a histogram, got none with the bound +Inf')
  let highest = 0
  // Buckets are read one after the other while the app counts: none holds less than the one below it.
  const sorted = [...counts]
    .sort(([a], [b]) => a - b)
    .map(([bound, count]) => [bound, (highest = Math.max(highest, count))] as const)
  const total = sorted.at(-1)?.[1] ?? 0
  if (total === 0) return Number.NaN
  if (![...counts.keys()].some(Number.isFinite))
    throw new Error('expected buckets of a histogram, got none with a finite bound')
  const rank = quantile * total
  let below = 0
  let lower = 0
  for (const [bound, count] of sorted) {
    if (count >= rank && count > 0) {
      if (bound === Number.POSITIVE_INFINITY) return lower
      const from = bound <= 0 && lower === 0 ? bound : lower
      return count === below ? bound : from + ((bound - from) * (rank - below)) / (count - below)
    }
    below = count
    lower = bound
  }
  return lower
}
