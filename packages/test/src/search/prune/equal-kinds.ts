import { pointId } from '../model.js'
import type { Memory, Remembered } from '../memory.js'
import { expectation } from './expectation.js'
import type { Pruning } from './pruning.js'
import { properSubsets, setId, withHit, without, type HitSet } from '../sets.js'

/**
 * Prunes what grows from one of two kinds of faults at one point, if runs with them could not be told apart: the same points were
 * reached, the same calls went through to the targets, the outcome was the same. The other kind is searched on.
 *
 * Not exact: an application that remembers the kind may tell them apart under one more fault.
 */
export const equalKinds: Pruning = {
  name: 'equal kinds',
  isExact: false,
  prunes: (set, memory) => twinIn(set, memory) !== undefined,
  expects(set, memory) {
    const twin = twinIn(set, memory)
    return twin === undefined ? undefined : expectation(twin, memory)
  },
}

/** The set with the other kind in it. */
function twinIn(set: HitSet, memory: Memory): HitSet | undefined {
  for (const subset of properSubsets(set)) {
    const other = memory.twinOf(subset)
    if (other === undefined) continue
    const rest = set.filter((index) => !subset.includes(index))
    return rest.reduce<HitSet>(withHit, other)
  }
  return undefined
}

/** Finds the sets of a size that differ in one kind and could not be told apart. The kind that was found first is searched on. */
export function findTwins(size: number, memory: Memory): void {
  const first = new Map<string, Remembered>()
  const ofSize = memory.runs.filter(({ set, run }) => set.length === size && run.outcome.verdict === 'holds')
  for (const one of ofSize.sort((a, b) => compare(a.set, b.set))) {
    const names = one.set.map((index, n) => {
      const { point, times } = memory.hits.hit(index)
      return [setId(without(one.set, n)), pointId(point), times ?? '', one.trace].join('\n')
    })
    const twin = names.map((name) => first.get(name)).find((other) => other !== undefined)
    if (twin !== undefined) memory.addTwin(one.set, memory.twinOf(twin.set) ?? twin.set)
    for (const name of names) if (!first.has(name)) first.set(name, one)
  }
}

function compare(one: HitSet, other: HitSet): number {
  const n = one.findIndex((index, place) => index !== other[place])
  return (one[n] ?? 0) - (other[n] ?? 0)
}
