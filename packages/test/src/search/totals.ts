import type { Memory } from './memory.js'
import { lookedAt, sizeOf, type Prunings } from './prunings.js'

/** What became of the sets. */
export interface Totals {
  /** All sets of the points and kinds that are known at the end, without the empty one. */
  readonly sets: number
  readonly run: number
  /** The sets that were pruned, by the name of the pruning. */
  readonly pruned: Readonly<Record<string, number>>
  /** The sets that were neither run nor pruned. */
  readonly left: number
  /** The sets that were pruned by inference: not because they cannot be, or contain a smaller finding. */
  readonly inferred: number
}

/** Counts what became of each set. */
export function totalsOf(depth: number, memory: Memory, prunings: Prunings): Totals {
  const pruned = Object.fromEntries(prunings.names.map((name) => [name, 0]))
  let [sets, run, inferred] = [0, 0, 0]
  for (let size = 1; size <= depth; size += 1) {
    sets += sizeOf(memory, size)
    for (const set of lookedAt(memory, size)) {
      if (memory.runOf(set) !== undefined) run += 1
      else {
        const pruning = prunings.of(set)
        if (pruning === undefined) continue
        pruned[pruning.name] = (pruned[pruning.name] ?? 0) + 1
        if (!pruning.isExact) inferred += 1
      }
    }
  }
  const all = Object.values(pruned).reduce((sum, count) => sum + count, 0)
  return { sets, run, pruned, left: sets - run - all, inferred }
}
