import { equalKinds } from './prune/equal-kinds.js'
import { nodes } from './prune/nodes.js'
import { overlaps } from './prune/overlaps.js'
import type { Pruning } from './prune/pruning.js'
import { reach } from './prune/reach.js'
import { retryChain } from './prune/retry-chain.js'
import { supersets } from './prune/supersets.js'
import type { Memory } from './memory.js'
import { setsOf, countSets, type HitSet } from './sets.js'

/** The most sets of one size that are looked at. What is beyond counts as left out. */
const MAX_SETS = 500_000

/** Which prunings are in use. A set counts for the first one that prunes it. */
export class Prunings {
  readonly #all: readonly Pruning[]
  readonly #off = new Set<Pruning>()

  constructor(
    readonly memory: Memory,
    { thorough, nodeRule }: { readonly thorough: boolean; readonly nodeRule: boolean },
  ) {
    this.#all = [reach, overlaps, equalKinds, retryChain, ...(nodeRule ? [nodes] : []), supersets].filter(
      ({ isExact }) => isExact || !thorough,
    )
  }

  of(set: HitSet): Pruning | undefined {
    return this.#all.find((one) => !this.#off.has(one) && one.prunes(set, this.memory))
  }

  turnOff(pruning: Pruning): void {
    this.#off.add(pruning)
  }

  isOn(pruning: Pruning): boolean {
    return !this.#off.has(pruning)
  }

  get off(): readonly string[] {
    return [...this.#off].map(({ name }) => name)
  }

  get names(): readonly string[] {
    return this.#all.map(({ name }) => name)
  }
}

/** The sets of one size, as many as are looked at. */
export function* lookedAt({ hits }: Memory, size: number): Generator<HitSet> {
  let left = MAX_SETS
  for (const set of setsOf(hits.calls, size)) {
    if (left === 0) return
    left -= 1
    yield set
  }
}

/** The number of sets of one size. */
export function sizeOf({ hits }: Memory, size: number): number {
  return countSets(hits.calls, size)
}
