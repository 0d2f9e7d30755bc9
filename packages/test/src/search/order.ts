import { pointId } from './model.js'
import type { Memory } from './memory.js'
import type { HitSet } from './sets.js'

/**
 * Puts the most telling sets first. A set tells more if it hits calls that are made only under faults (retries, fallbacks,
 * compensations), and calls whose fault changed what the application did next. Among equals, the kinds come in the order in which
 * they were given, so that the first kind is tried at every point before the second.
 */
export function mostTellingFirst(sets: readonly HitSet[], memory: Memory): readonly HitSet[] {
  const usual = memory.runOf([])
  const weights = memory.hits.hits.map((hit, index) => {
    const single = memory.runOf([index])
    const changesCourse = single !== undefined && single.reached.size !== usual?.reached.size
    return (memory.hits.isFirst(pointId(hit.point)) ? 0 : 2) + (changesCourse ? 1 : 0)
  })
  const ranks = memory.hits.hits.map((hit, index) => memory.hits.at(pointId(hit.point)).indexOf(index))
  const sum = (values: readonly number[], set: HitSet): number =>
    set.reduce((total, index) => total + (values[index] ?? 0), 0)
  return sets
    .map((set) => ({ set, weight: sum(weights, set), rank: sum(ranks, set) }))
    .sort((one, other) => other.weight - one.weight || one.rank - other.rank)
    .map(({ set }) => set)
}
