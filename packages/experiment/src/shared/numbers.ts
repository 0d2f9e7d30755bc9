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
