import type { MetricProbe, SeriesSelector } from '../model/experiment.js'
import type { TextSample } from './prometheus-text.js'

/** A page of metrics at one moment. */
interface Page {
  readonly at: number
  readonly samples: readonly TextSample[]
}

/** Makes one number of each page of metrics. A window is looked back over the pages read before. */
export function metricReader(probe: MetricProbe): (samples: readonly TextSample[], at: number) => number {
  const pages: Page[] = []
  return (samples, at) => {
    const { windowMs } = probe
    if (windowMs === undefined) return valueOf(probe, samples)
    const selected = samples.filter((sample) => isMeant(sample, probe) || (probe.outOf !== undefined && isSelected(sample, probe.outOf, probe.outOf.series)))
    pages.push({ at, samples: selected })
    // The newest page that is as old as the window is what it is compared with.
    while (pages[1] !== undefined && pages[1].at <= at - windowMs) pages.shift()
    const [base] = pages
    if (base === undefined || base.at === at) throw new Error('a window needs a second reading')
    return valueOf(probe, increases(selected, base.samples))
  }
}

function valueOf(probe: MetricProbe, samples: readonly TextSample[]): number {
  const meant = samples.filter((sample) => isMeant(sample, probe))
  if (meant.length === 0) {
    // A counter may not be there before it first counts; that this is meant, the experiment has to say.
    if (probe.emptyIs !== undefined) return probe.emptyIs
    throw new Error(`no series ${probe.series} with these labels`)
  }
  const value = probe.quantile === undefined ? reduced(probe, meant.map((sample) => sample.value)) : quantileOf(probe.quantile, meant)
  const { outOf } = probe
  const share = outOf === undefined ? value : value / sum(samples.filter((sample) => isSelected(sample, outOf, outOf.series)).map((sample) => sample.value))
  if (!Number.isNaN(share)) return share
  if (probe.emptyIs !== undefined) return probe.emptyIs
  throw new Error('nothing happened in the window')
}

function isMeant(sample: TextSample, probe: MetricProbe): boolean {
  return isSelected(sample, probe, probe.quantile === undefined ? probe.series : `${probe.series}_bucket`)
}

function isSelected({ series, labels }: TextSample, { labels: wanted = {}, labelsMatch = {} }: SeriesSelector, name: string): boolean {
  return (
    series === name &&
    Object.entries(wanted).every(([label, value]) => (labels[label] ?? '') === value) &&
    Object.entries(labelsMatch).every(([label, pattern]) => new RegExp(`^(?:${pattern})$`).test(labels[label] ?? ''))
  )
}

function reduced({ reduce, outOf, series }: MetricProbe, values: readonly number[]): number {
  const [first] = values
  if (reduce === 'min') return Math.min(...values)
  if (reduce === 'max') return Math.max(...values)
  if (reduce === 'sum' || outOf !== undefined) return sum(values)
  if (first === undefined || values.length > 1) throw new Error(`expected one series ${series}, got ${values.length}: say \`reduce\`, or more labels`)
  return first
}

/** What was added to each series since an earlier page. A counter that fell was reset: it counts from 0. */
function increases(now: readonly TextSample[], before: readonly TextSample[]): readonly TextSample[] {
  const earlier = new Map(before.map((sample) => [keyOf(sample), sample.value]))
  return now.map((sample) => {
    const base = earlier.get(keyOf(sample)) ?? 0
    return { ...sample, value: sample.value >= base ? sample.value - base : sample.value }
  })
}

function keyOf({ series, labels }: TextSample): string {
  return JSON.stringify([series, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))])
}

/** A quantile as Prometheus' `histogram_quantile` estimates it: straight within a bucket, the last finite bound beyond. */
export function quantileOf(quantile: number, buckets: readonly TextSample[]): number {
  const counts = new Map<number, number>()
  for (const { labels, value } of buckets) {
    const bound = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le'])
    counts.set(bound, (counts.get(bound) ?? 0) + value)
  }
  const sorted = [...counts].sort(([a], [b]) => a - b)
  const total = sorted.at(-1)?.[1] ?? 0
  if (total === 0) return Number.NaN
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

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
