import type { ObservedCall } from './attempt.js'
import { jitterOf } from './backoff.js'
import type { Totals } from './call-ledger.js'
import type { Retries } from './retries.js'

/** The figures of an observation. */
export interface CallAccount {
  /** Calls that the application wanted done once. */
  readonly calls: number
  readonly attempts: number
  /** Attempts after the first of a call. */
  readonly retried: number
  /** Attempts that failed. */
  readonly failed: number
  /** Attempts without an answer, among the calls that are remembered. */
  readonly pending: number
  /** Attempts that their caller gave up, among the calls that are remembered. */
  readonly cancelled: number
  /** The most attempts of one call. */
  readonly mostAttempts: number
  /** Attempts for each call above: of the observation `above`, else of this one. 1: nothing is tried again. */
  readonly amplification: number
  /**
   * How much the waits of different calls before the same attempt differ, as a share of their mean; 0: all wait equally long.
   * `undefined`: fewer than three calls were tried again.
   */
  readonly jitter: number | undefined
}

/** Calls from which jitter is read, at least. */
const JITTER_CALLS = 3

export function accountOf(
  { calls, attempts, failed, mostAttempts }: Totals,
  remembered: readonly ObservedCall[],
  retries: readonly Retries[],
  above: Totals | undefined,
  minDelayMs: number,
): CallAccount {
  const all = remembered.flatMap(({ attempts: each }) => each)
  // What is called above is called by others: whether they try again is not this observation's concern.
  const callsAbove = above?.attempts ?? calls
  return {
    calls,
    attempts,
    retried: attempts - calls,
    failed,
    pending: all.filter(({ ok }) => ok === undefined).length,
    cancelled: all.filter(({ isCancelled }) => isCancelled).length,
    mostAttempts,
    amplification: callsAbove === 0 ? 0 : attempts / callsAbove,
    jitter: jitterOf(
      retries.map(({ gapsMs }) => gapsMs),
      { calls: JITTER_CALLS, longerThanMs: minDelayMs },
    ),
  }
}
