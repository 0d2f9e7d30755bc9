import { shown } from '../shared/answer.js'
import { numberOf } from '../shared/numbers.js'
import type { TextSample } from './prometheus-text.js'

/**
 * Estimates a quantile as Prometheus' `histogram_quantile` does: linear interpolation within a bucket, and the last
 * finite bound for values beyond it. NaN: nothing was observed.
 *
 * @throws Error when the buckets are not a histogram: a bound is invalid, the `+Inf` bucket is missing, or no bound is
 *   finite
 */
export function quantileOf(quantile: number, buckets: readonly TextSample[]): number {
  const counts = new Map<number, number>()
  for (const { labels, value } of buckets) {
    const bound = numberOf(labels['le'] ?? '')
    if (bound === undefined || Number.isNaN(bound) || Number.isNaN(value))
      throw new Error(
        `the histogram has a bucket with the invalid bound "${shown(labels['le'] ?? '')}" or count ${value}`,
      )
    counts.set(bound, (counts.get(bound) ?? 0) + value)
  }
  if (!counts.has(Number.POSITIVE_INFINITY)) throw new Error('the histogram has no bucket with the bound +Inf')
  let highest = 0
  // The app may count while it writes its page, so a bucket can show less than the one below it. Raise such a bucket.
  const sorted = [...counts]
    .sort(([a], [b]) => a - b)
    .map(([bound, count]) => [bound, (highest = Math.max(highest, count))] as const)
  const total = sorted.at(-1)?.[1] ?? 0
  if (total === 0) return Number.NaN
  if (![...counts.keys()].some(Number.isFinite)) throw new Error('the histogram has no bucket with a finite bound')
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
