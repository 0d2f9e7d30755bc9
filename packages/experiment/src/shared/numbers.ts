/**
 * The largest of any number of values. A long run has more readings than `Math.max` accepts arguments.
 *
 * @param least Lower bound of the result.
 */
export function largest(values: Iterable<number>, least = Number.NEGATIVE_INFINITY): number {
  let most = least
  for (const value of values) most = Math.max(most, value)
  return most
}

/** The longest difference between two consecutive times; 0 for fewer than two. */
export function longestGap(times: readonly number[]): number {
  return largest(
    times.map((at, index) => at - (times[index - 1] ?? at)),
    0,
  )
}

/** Parses a number in Prometheus' notation; `undefined` if the text is not a number or exceeds the range of doubles. */
export function numberOf(text: string): number | undefined {
  if (text.length > 400) return undefined
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text))
    return Number.isFinite(Number(text)) ? Number(text) : undefined
  if (/^\+?inf(?:inity)?$/i.test(text)) return Number.POSITIVE_INFINITY
  if (/^-inf(?:inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY
  return /^nan$/i.test(text) ? Number.NaN : undefined
}
