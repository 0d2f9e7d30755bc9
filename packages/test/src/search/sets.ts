/** A set of planned faults: indexes of hits, ascending. At most one hit of each call. */
export type HitSet = readonly number[]

/** The identity of a set, as one string. */
export function setId(set: HitSet): string {
  return set.join(',')
}

/** A set without its n-th member. */
export function without(set: HitSet, n: number): HitSet {
  return set.filter((_, index) => index !== n)
}

/** A set with one more member. */
export function withHit(set: HitSet, hit: number): HitSet {
  return [...set, hit].sort((one, other) => one - other)
}

/**
 * Returns every set of a size, each with hits of different calls.
 *
 * @param calls The hits of each call.
 */
export function* setsOf(calls: readonly HitSet[], size: number, from = 0): Generator<number[]> {
  if (size === 0) {
    yield []
    return
  }
  for (let call = from; call <= calls.length - size; call += 1)
    for (const rest of setsOf(calls, size - 1, call + 1))
      for (const hit of calls[call] ?? []) yield [hit, ...rest].sort((one, other) => one - other)
}

/** The number of sets that {@link setsOf} returns. */
export function countSets(calls: readonly HitSet[], size: number): number {
  const counts = [1, ...Array<number>(size).fill(0)]
  for (const { length } of calls)
    for (let n = size; n > 0; n -= 1) counts[n] = (counts[n] ?? 0) + (counts[n - 1] ?? 0) * length
  return counts[size] ?? 0
}

/** Every non-empty subset that is smaller than the set itself. */
export function* properSubsets(set: HitSet): Generator<HitSet> {
  for (let mask = 1; mask < (1 << set.length) - 1; mask += 1)
    yield set.filter((_, index) => (mask & (1 << index)) !== 0)
}
