import type { Memory } from '../memory.js'
import type { HitSet } from '../sets.js'

/** What follows from earlier runs for a set. `undefined`: nothing. */
export function expectation(set: HitSet, memory: Memory): 'holds' | 'breaks' | undefined {
  const known = memory.resolve(set)
  if (known !== undefined) return known.run.outcome.verdict
  return memory.failing.some((failing) => memory.contains(set, failing)) ? 'breaks' : undefined
}
