/** The largest of any count of numbers: a long run has more readings than `Math.max` takes arguments. @param least Lower bound of the result. */
export function largest(values: Iterable<number>, least = Number.NEGATIVE_INFINITY): number {
  let most = least
  for (const value of values) most = Math.max(most, value)
  return most
}

/** The longest time between two consecutive moments; 0 for fewer than two. */
export function longestGap(times: readonly number[]): number {
  return largest(
    times.map((at, index) => at - (times[index - 1] ?? at)),
    0,
  )
}

/** Parses a number as Prometheus writes it; `undefined` if the text is not a number, or a number beyond the range of doubles. */
export function numberOf(text: string): number | undefined {
  if (text.length > 400) return undefined
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text))
    return Number.isFinite(Number(text)) ? Number(text) : undefined
  if (/^\+?inf(?:inity)?$/i.test(text)) return Number.POSITIVE_INFINITY
  if (/^-inf(?:inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY
  return /^nan$/i.test(text) ? Number.NaN : undefined
}
