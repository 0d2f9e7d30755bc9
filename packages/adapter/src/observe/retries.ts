import type { Attempt, ObservedCall } from './attempt.js'
import { backoffOf, type Backoff } from './backoff.js'
import { failedAlike } from './failures.js'

/** How one call was tried again. */
export interface Retries extends Backoff {
  readonly call: ObservedCall
  readonly operation: string
  readonly scope: string | undefined
  /** The number of attempts. */
  readonly tries: number
  /** The waits before the second attempt and each one after it, in ms. `undefined`: the attempt before was not answered yet. */
  readonly gapsMs: readonly (number | undefined)[]
  /** Whether its attempts have one idempotency key. */
  readonly idempotencyKey: 'same' | 'new' | 'none'
  /** Whether the last attempt failed for another reason than the first. */
  readonly reasonChanged: boolean
  /** Whether its caller has given it up. */
  readonly isCancelled: boolean
  /** Attempts that began after the caller had given up, or had its answer. */
  readonly triesTooLate: number
}

/** Tells how a call was tried again. */
export function retriesOf(call: ObservedCall): Retries {
  const { operation, scope, tries, attempts } = call
  const [first] = attempts
  const last = attempts.at(-1)
  const again = attempts.slice(1)
  return {
    call,
    operation,
    scope,
    tries,
    gapsMs: again.map(({ gapMs }) => gapMs),
    ...backoffOf(again.map(({ gapMs }) => gapMs)),
    idempotencyKey: keysOf(attempts),
    reasonChanged: first?.ok === false && last?.ok === false && !failedAlike(first, last),
    isCancelled: attempts.some(({ isCancelled }) => isCancelled),
    triesTooLate: again.filter(({ isTooLate }) => isTooLate).length,
  }
}

function keysOf(attempts: readonly Attempt[]): Retries['idempotencyKey'] {
  const keys = new Set(attempts.map(({ idempotencyKey }) => idempotencyKey))
  if (keys.size > 1) return 'new'
  return keys.has(undefined) ? 'none' : 'same'
}
