import type { Hit } from '../model.js'
import type { Memory, Remembered } from '../memory.js'
import { sameChain } from '../hits.js'
import type { Pruning } from './pruning.js'
import { withHit, type HitSet } from '../sets.js'

/**
 * Prunes a set that hits each try of one call with one kind of fault, if a lasting hit from the first try on has shown that there are
 * no more tries: it is the same run. Tries with several kinds of faults, and some tries of more, are run.
 *
 * Exact if runs repeat, for faults that break each call on its own.
 */
export const retryChain: Pruning = {
  name: 'retry chain',
  isExact: true,
  prunes: (set, memory) => sameRun(set, memory) !== undefined,
  expects: (set, memory) => sameRun(set, memory)?.run.outcome.verdict,
}

/** The run in which a lasting hit took the place of all tries in the set. */
function sameRun(set: HitSet, memory: Memory): Remembered | undefined {
  const { hits } = memory
  for (const index of set) {
    const first = hits.hit(index)
    const lasting = first.times === 'always' ? undefined : hits.indexOf({ ...first, times: 'always' })
    if (lasting === undefined) continue
    const tries = set.filter((other) => isTryFrom(first, hits.hit(other)))
    if (tries.length === 1) continue
    const rest = set.filter((other) => !tries.includes(other))
    const known = memory.resolve(withHit(rest, lasting))
    if (
      known !== undefined &&
      isSame(
        callsFrom(first, known),
        tries.map((one) => hits.hit(one).point.call),
      )
    )
      return known
  }
  return undefined
}

/** Whether a hit is on the same call as another, or on a later try of it, by the same kind of fault. */
function isTryFrom(first: Hit, other: Hit): boolean {
  return (
    other.kind === first.kind &&
    other.times === undefined &&
    sameChain(first, other) &&
    other.point.call >= first.point.call
  )
}

/** The numbers of the calls that a run has made from a call on, as its kind of fault sees them. */
function callsFrom(first: Hit, { run }: Remembered): readonly number[] {
  return run.reached
    .filter((one) => sameChain(first, one) && one.kinds.includes(first.kind) && one.point.call >= first.point.call)
    .map(({ point }) => point.call)
}

function isSame(some: readonly number[], others: readonly number[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one))
}
