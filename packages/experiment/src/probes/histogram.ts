import { shown } from '../shared/answer.js'
import { numberOf } from '../shared/numbers.js'
import type { TextSample } from './prometheus-text.js'

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
