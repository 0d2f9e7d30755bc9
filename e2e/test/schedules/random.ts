/** Seeded random numbers. */
export interface Random {
  /** A whole number from 0 to `below`, exclusive. */
  readonly below: (below: number) => number
  readonly one: <T>(of: readonly [T, ...T[]]) => T
}

/** Makes the random numbers of one schedule (mulberry32, by Tommy Ettinger, public domain). */
export function randomOf(seed: number): Random {
  let state = seed
  const below = (limit: number): number => {
    state = (state + 0x6d2b_79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
  return { below, one: (of) => of[below(of.length)] ?? of[0] }
}
