/** The largest of some numbers, of any count: a long run has more readings than a call can have arguments. @param least What it is at least. */
export function largest(values: Iterable<number>, least = Number.NEGATIVE_INFINITY): number {
  let most = least
  for (const value of values) most = Math.max(most, value)
  return most
}

/** The longest time between two moments that follow each other; 0 for fewer than two. */
export function longestGap(times: readonly number[]): number {
  return largest(
    times.map((at, index) => at - (times[index - 1] ?? at)),
    0,
  )
}

/** A number as Prometheus writes it; `undefined`: it is none, or one that is too large to be held. */
export function numberOf(text: string): number | undefined {
  if (text.length > 400) return undefined
  if (/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text))
    return Number.isFinite(Number(text)) ? Number(text) : undefined
  if (/^\+?inf(?:inity)?$/i.test(text)) return Number.POSITIVE_INFINITY
  if (/^-inf(?:inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY
  return /^nan$/i.test(text) ? Number.NaN : undefined
}
