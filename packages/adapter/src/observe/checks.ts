import { globMatcher, printable } from '@chaos/core/authoring'
import type { CallAccount } from './account.js'
import type { Attempt, ObservedCall } from './attempt.js'
import { isFinalFailure, mayHaveHappened, reasonOf, tells } from './failures.js'
import type { Retries } from './retries.js'

/** The mistakes that an observation looks for, in the order in which it reports them. */
export const retryChecks = [
  'no-cap',
  'no-delay',
  'no-growth',
  'no-jitter',
  'retried-final-error',
  'unsafe-retry',
  'new-idempotency-key',
  'retry-after-cancel',
  'swallowed-error',
  'replaced-error',
  'retry-storm',
] as const
export type RetryCheck = (typeof retryChecks)[number]

/** A mistake that was found. */
export interface RetryViolation {
  readonly check: RetryCheck
  /** What happened, and what to do. */
  readonly message: string
  /** The calls that show it. */
  readonly calls: readonly ObservedCall[]
}

/** The bounds of the checks. */
interface RetryLimits {
  readonly maxAttempts: number
  readonly minDelayMs: number
  readonly maxAmplification: number
  readonly isFinal?: ((attempt: Attempt) => boolean) | undefined
  readonly unsafe: string | readonly string[]
}

/** What the checks read. */
export interface Seen {
  readonly calls: readonly ObservedCall[]
  readonly retries: readonly Retries[]
  readonly account: CallAccount
  /** The number of calls of the observation above, if there is one. */
  readonly callsAbove: number | undefined
  readonly limits: RetryLimits
}

interface Finding {
  readonly calls: readonly ObservedCall[]
  /** Says what is wrong with the first of the calls. */
  readonly message: (call: ObservedCall) => string
}

const FINDERS: Readonly<Record<RetryCheck, (seen: Seen) => Finding>> = {
  'no-cap': ({ calls, limits: { maxAttempts } }) => ({
    calls: calls.filter(({ tries }) => tries > maxAttempts),
    message: (call) =>
      `${named(call)} was tried ${call.tries} times, more than \`maxAttempts\` (${maxAttempts}). Give up after a few attempts, and say so.`,
  }),
  'no-delay': ({ retries, limits: { minDelayMs } }) => ({
    calls: retries.filter(({ gapsMs }) => isAtOnce(gapsMs, minDelayMs)).map(({ call }) => call),
    message: (call) =>
      `${named(call)} was tried again without a wait: ${history(call)}. A service that is down gets every retry at once. Wait at least ${minDelayMs} ms (\`minDelayMs\`), and longer after each attempt.`,
  }),
  'no-growth': ({ retries, limits: { minDelayMs } }) => ({
    calls: retries
      .filter(({ growth, gapsMs }) => growth === 'constant' && !isAtOnce(gapsMs, minDelayMs))
      .map(({ call }) => call),
    message: (call) =>
      `${named(call)} was tried again after equal waits: ${history(call)}. A service that recovers is kept busy by retries. Make each wait longer than the one before, up to a cap.`,
  }),
  'no-jitter': ({ retries, account: { jitter } }) => ({
    calls: jitter !== undefined && jitter < MIN_JITTER ? retries.map(({ call }) => call) : [],
    message: (call) =>
      `Calls such as ${named(call)} wait equally long before the same attempt: they differ by ${percent(jitter ?? 0)}. Callers that failed together come back together. Add a random part to each wait.`,
  }),
  'retried-final-error': ({ retries, limits: { isFinal = isFinalFailure } }) => ({
    calls: retries.filter(({ call }) => triedAfter(call, isFinal) !== undefined).map(({ call }) => call),
    message: (call) =>
      `${named(call)} was tried again after ${reason(triedAfter(call, isFinal))}, which no retry changes: ${history(call)}. Retry only what may succeed later.`,
  }),
  'unsafe-retry': ({ retries, limits: { unsafe } }) => {
    const isUnsafe = globMatcher([unsafe].flat())
    return {
      calls: retries
        .filter(
          ({ call, operation, idempotencyKey }) =>
            idempotencyKey === 'none' && isUnsafe(operation) && triedAfter(call, mayHaveHappened) !== undefined,
        )
        .map(({ call }) => call),
      message: (call) =>
        `${named(call)} was tried again after ${reason(triedAfter(call, mayHaveHappened))}, and has no idempotency key. The service may have done it already. Send the same idempotency key with each attempt, or do not retry.`,
    }
  },
  'new-idempotency-key': ({ retries }) => ({
    calls: retries.filter(({ idempotencyKey }) => idempotencyKey === 'new').map(({ call }) => call),
    message: (call) =>
      `${named(call)} was tried again with another idempotency key: ${keys(call)}. For the service these are different calls. Make the key once, before the first attempt.`,
  }),
  'retry-after-cancel': ({ retries }) => ({
    calls: retries.filter(({ triesTooLate }) => triesTooLate > 0).map(({ call }) => call),
    message: (call) =>
      `${named(call)} was tried again after its caller had given up or had its answer: ${history(call)}. Check the caller's signal after each wait, and stop the retries with it.`,
  }),
  'swallowed-error': ({ calls }) => ({
    calls: calls.filter((call) => failed(call) && call.caller?.ok === true),
    message: (call) =>
      `${named(call)} failed (${reason(call.attempts.at(-1))}), and its caller was told of success. If that is a fallback, leave this check out.`,
  }),
  'replaced-error': ({ calls }) => ({
    calls: calls.filter((call) => {
      const { caller, attempts } = call
      return failed(call) && caller?.ok === false && !attempts.some((attempt) => tells(caller.error, attempt))
    }),
    message: (call) =>
      `${named(call)} failed (${reason(call.attempts[0])}), and its caller was told something else: ${reason(call.caller)}. Keep the first error as the \`cause\` of what callers get.`,
  }),
  'retry-storm': ({ retries, account, callsAbove, limits: { maxAmplification } }) => ({
    calls: callsAbove !== undefined && account.amplification > maxAmplification ? retries.map(({ call }) => call) : [],
    message: (call) =>
      `${callsAbove ?? 0} ${callsAbove === 1 ? 'call' : 'calls'} above became ${account.attempts} attempts below, such as ${named(call)}: ${round(account.amplification)} for each, more than \`maxAmplification\` (${maxAmplification}). Layers that retry multiply each other. Retry in one layer only.`,
  }),
}

/** Waits of different calls that differ by less have no random part. */
const MIN_JITTER = 0.05

/** Returns what is wrong, if anything is. */
export function violationOf(check: RetryCheck, seen: Seen): RetryViolation | undefined {
  const { calls, message } = FINDERS[check](seen)
  const [first] = calls
  if (first === undefined) return undefined
  const also = calls.length > 1 ? ` So it was with ${calls.length} calls.` : ''
  return { check, calls, message: `${check}: ${message(first)}${also}` }
}

/** Whether no wait before an attempt was long enough. */
function isAtOnce(gapsMs: readonly (number | undefined)[], minDelayMs: number): boolean {
  const known = gapsMs.filter((gap) => gap !== undefined)
  return known.length > 0 && known.every((gap) => gap < minDelayMs)
}

/** The first failed attempt of a kind that another one followed. */
function triedAfter({ attempts }: ObservedCall, isIt: (attempt: Attempt) => boolean): Attempt | undefined {
  return attempts.slice(0, -1).find((attempt) => attempt.ok === false && isIt(attempt))
}

function failed({ attempts }: ObservedCall): boolean {
  return attempts.at(-1)?.ok === false
}

/** The most attempts that a message lists. */
const MAX_LISTED = 8

function history({ attempts, tries }: ObservedCall): string {
  const start = attempts[0]?.at ?? 0
  const shown = attempts.slice(0, MAX_LISTED).map((attempt) => {
    const how = attempt.ok === true ? 'succeeded' : reasonOf(attempt)
    return `at ${round(attempt.at - start)} ms ${how}${attempt.isTooLate ? ' (too late)' : ''}`
  })
  return tries > shown.length ? `${shown.join('; ')}; and ${tries - shown.length} more` : shown.join('; ')
}

function keys({ attempts }: ObservedCall): string {
  return attempts
    .slice(0, MAX_LISTED)
    .map(({ idempotencyKey }) =>
      idempotencyKey === undefined ? 'none' : `"${printable(idempotencyKey, { max: 40 })}"`,
    )
    .join(', ')
}

function named({ operation, scope }: ObservedCall): string {
  return `\`${printable(operation)}\`${scope === undefined ? '' : ` in "${printable(scope)}"`}`
}

function reason(attempt: Attempt | undefined): string {
  return attempt === undefined ? 'a failure' : reasonOf(attempt)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
