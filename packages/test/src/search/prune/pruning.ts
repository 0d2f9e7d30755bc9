import type { Memory } from '../memory.js'
import type { HitSet } from '../sets.js'

/** Why sets are not run. */
export interface Pruning {
  /** As the line of a search names it. */
  readonly name: string
  /** Whether it leaves nothing out if runs repeat: what it prunes cannot be, or contains a smaller finding. */
  readonly isExact: boolean
  /** Whether it prunes a set. All smaller sets have been decided. */
  prunes(set: HitSet, memory: Memory): boolean
  /** What a run of a pruned set would show. `undefined`: anything. */
  expects(set: HitSet, memory: Memory): 'holds' | 'breaks' | undefined
}
