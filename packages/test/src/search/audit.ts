import type { Pruning } from './prune/pruning.js'
import { lookedAt, type Prunings } from './prunings.js'
import { rolls } from '@chaos/core/authoring'
import { setId, type HitSet } from './sets.js'

/** The share of the pruned sets that is run all the same. */
const SHARE = 0.05
/** The most sets of one size and one pruning that are run all the same. */
const MAX_SAMPLE = 50

/** A pruned set that is run all the same, and what is expected of it. */
export interface Sample {
  readonly set: HitSet
  readonly pruning: Pruning
  readonly expected: 'holds' | 'breaks'
}

/** Draws the seeded share of the pruned sets of one size: of each pruning at least one, and 50 at most. */
export function samples(size: number, prunings: Prunings, seed: string): readonly Sample[] {
  const drawn = new Map<Pruning, { readonly sample: Sample; readonly roll: number }[]>()
  for (const set of lookedAt(prunings.memory, size)) {
    if (prunings.memory.runOf(set) !== undefined) continue
    const pruning = prunings.of(set)
    const roll = rolls(seed, 'audit', setId(set))(1)
    const beside = pruning === undefined ? [] : (drawn.get(pruning) ?? [])
    if (pruning === undefined || (roll >= SHARE && beside.length > 0 && roll >= (beside[0]?.roll ?? 0))) continue
    const expected = pruning.expects(set, prunings.memory)
    if (expected === undefined) continue
    const kept = [...beside, { sample: { set, pruning, expected }, roll }].sort((one, other) => one.roll - other.roll)
    drawn.set(pruning, kept.filter((one, n) => n === 0 || one.roll < SHARE).slice(0, MAX_SAMPLE))
  }
  return [...drawn.values()].flatMap((kept) => kept.map(({ sample }) => sample))
}
