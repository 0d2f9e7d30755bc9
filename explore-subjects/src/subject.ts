import type { Exploration } from '@chaos/test'

/** How far a library is explored. */
export interface HowFar {
  /** The largest number of faults in one run. */
  readonly depth: number
  /** Whether calls are also left without any answer. Each such run lasts until the deadline if the library has none of its own. */
  readonly hangs: boolean
  /** No run begins later than this many ms after the first. */
  readonly budgetMs: number
}

/**
 * A library, used as its documentation shows, and what that use promises.
 *
 * A remedy is the same use with what its documentation or its maintainers advise against a finding.
 */
export interface Subject {
  readonly name: string
  /** What the test asserts, in one sentence. */
  readonly promise: string
  /** The programs of the servers that the subject works on. */
  readonly servers: readonly string[]
  /** The advice that is followed, in a remedy. */
  readonly remedy?: string
  /** Whether each run makes the same calls, so that the sizes of the search are the same each time. */
  readonly isSteady: boolean
  /** Explores the library on servers of its own. Findings are returned. */
  readonly explore: (how: HowFar) => Promise<Exploration>
}

/** What all explorations share. A run that takes longer than the deadline hangs: a limit for what hangs, not a bar on speed. */
export const shared = ({ depth, budgetMs, hangs }: HowFar) => ({
  depth,
  budgetMs,
  deadlineMs: hangs ? 3_000 : 20_000,
  onFinding: 'return' as const,
})

/** The answer of a call, or its error. */
export type Settled<Value> = { readonly value: Value } | { readonly error: unknown }

/** Waits for a call, whatever becomes of it. */
export const settled = <Value>(work: Promise<Value>): Promise<Settled<Value>> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
