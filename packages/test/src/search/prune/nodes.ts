import type { Memory } from '../memory.js'
import { expectation } from './expectation.js'
import type { Pruning } from './pruning.js'
import type { HitSet } from '../sets.js'

/**
 * Prunes a set that hits several scopes, if the hits of each scope alone were run: the reduction of Filibuster, whose nodes are
 * the scopes here. Sound only if the work of a scope depends on its own calls alone, so it has to be asked for.
 *
 * @see Meiklejohn, "Resilient Microservice Applications, by Design, and without the Chaos" (2021), on dynamic reduction.
 */
export const nodes: Pruning = {
  name: 'nodes',
  isExact: false,
  prunes(set, memory) {
    const parts = partsOf(set, memory)
    return parts.length > 1 && parts.every((part) => expectation(part, memory) !== undefined)
  },
  expects(set, memory) {
    return partsOf(set, memory).every((part) => expectation(part, memory) === 'holds') ? 'holds' : 'breaks'
  },
}

/** The hits of each scope. */
function partsOf(set: HitSet, { hits }: Memory): readonly HitSet[] {
  const parts = new Map<string, number[]>()
  for (const index of set) {
    const { scope } = hits.hit(index).point
    parts.set(scope, [...(parts.get(scope) ?? []), index])
  }
  return [...parts.values()]
}
