import type { Result } from '../runner/measure-all.js'

export type Verdict = 'met' | 'missed' | 'not measured'

/** Whether a result keeps its bar; `undefined` where it has none. */
export function verdictOf({ bar, median, addedNs, failure }: Result): Verdict | undefined {
  if (bar === undefined) return undefined
  if (failure !== undefined) return 'not measured'
  const keepsAdded = bar.addedNs === undefined || (addedNs !== undefined && addedNs <= bar.addedNs)
  // Bars have two decimals, so results are rounded to as many.
  return Math.round(median * 100) / 100 <= bar.most && keepsAdded ? 'met' : 'missed'
}

/**
 * Whether the fast check refuses a result: far beyond its bar, or not measured at all. A regression makes all readings of a time longer; other
 * work of the machine makes many longer and none shorter, so the low ones count. In a ratio both sides have the same machine.
 */
export function isRefused({ unit, refused, median, low, failure }: Result): boolean {
  const value = unit === 'µs' || unit === 'ms' ? low : median
  return failure !== undefined || (refused !== undefined && !(value <= refused))
}
