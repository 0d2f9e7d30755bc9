import { compare, type Comparison, type Readings } from './compare.js'

/** `ratio`: to the bare call of the same round. */
export type Unit = 'ratio' | 'µs' | 'ms' | 'KiB' | 'differences' | 'count'

/** What a case may cost at most. */
export interface Bar {
  /** In the case's unit: the most that its median may be. */
  readonly most: number
  /** Of a comparison: the most ns that the subject may take more than the bare call. */
  readonly addedNs?: number
}

/** Something measured in fresh processes. */
export interface Case {
  readonly name: string
  readonly unit: Unit
  readonly bar?: Bar
  /** A median that the fast check refuses: far enough from the bar that noise never gets there. Without it the case is not in the fast check. */
  readonly refused?: number
  /** A package of someone else's, on the same bare call. */
  readonly isPeer?: boolean
  /** On every Node.js that packages run on, and not just on this one. */
  readonly everyNode?: boolean
  /** Processes that are enough, where there is less to find in many. */
  readonly processes?: number
  /**
   * @param rounds Readings wanted of this process.
   * @param isQuick Whether what takes long may be smaller: fewer bytes, shorter times.
   */
  readonly measure: (rounds: number, isQuick: boolean) => Promise<Readings>
}

/** Something that cannot be measured yet. */
export interface PendingCase {
  readonly name: string
  /** What it waits for. */
  readonly pending: string
}

/** Cases that belong together in one table. */
export interface Suite {
  readonly name: string
  readonly title: string
  /** What is measured, in a sentence or two. */
  readonly about: string
  readonly cases: readonly (Case | PendingCase)[]
}

/** A case that compares a call with the bare one. */
export function comparison(
  name: string,
  how: Comparison,
  rest: Pick<Case, 'bar' | 'refused' | 'isPeer' | 'everyNode'> = {},
): Case {
  return { name, unit: 'ratio', ...rest, measure: (rounds) => compare(how, rounds) }
}

export function isPending(one: Case | PendingCase): one is PendingCase {
  return 'pending' in one
}
