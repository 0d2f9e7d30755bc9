import { checkOptions, globMatcher, option, optionsSchema, printable } from '@chaos/core/authoring'
import { result, type MatcherResult } from './result.js'

/** How one call was tried again, as `observeCalls` of `@chaos/adapter/observe` tells it. */
interface RetriedCall {
  readonly operation: string
  /** The number of attempts. */
  readonly tries: number
  /** The waits before the second attempt and each one after it, in ms. */
  readonly gapsMs: readonly (number | undefined)[]
  readonly growth: string
}

/** What `observeCalls` of `@chaos/adapter/observe` resolves to. */
interface Observation {
  readonly calls: readonly { readonly operation: string }[]
  readonly retries: () => readonly RetriedCall[]
}

/** How a call should be tried again. */
export interface ExpectedRetries {
  /** The operation: its name or a glob. Default: all operations. */
  readonly operation?: string
  /** How often each call is tried again: attempts after the first. Default: at least once. */
  readonly times?: number
  /**
   * How the waits follow each other: `none` (at once), `constant`, `linear`, `exponential`, or `growing` (each longer than the one
   * before, up to a cap). `linear` and `exponential` show in three waits at the earliest, the others in two. Default: in any way.
   */
  readonly backoff?: 'none' | 'constant' | 'linear' | 'exponential' | 'growing'
  /** The longest wait, in ms, and a sixth more, since timers are late. Default: none. */
  readonly capMs?: number
}

const schema = optionsSchema({
  operation: option.optional(option.text('Name or glob of the operation.', 1_024)),
  times: option.optional(option.count('How often each call is tried again.', 1)),
  backoff: option.optional(
    option.oneOf(['none', 'constant', 'linear', 'exponential', 'growing'], 'How the waits follow each other.'),
  ),
  capMs: option.optional(option.durationMs('Longest wait, in ms.')),
})

/** The longest wait of a retry at once, in ms. */
const AT_ONCE_MS = 10
const LATE = 7 / 6
const LISTED = 5
const GROWING: ReadonlySet<string> = new Set(['growing', 'linear', 'exponential'])

/**
 * Whether calls that failed were tried again, and how.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option.
 */
export function toHaveRetried(received: unknown, expected: ExpectedRetries = {}): MatcherResult {
  assertObservation(received)
  checkOptions(schema, expected, 'toHaveRetried')
  const covers = globMatcher([expected.operation ?? '*'])
  const isMeant = ({ operation }: { readonly operation: string }): boolean =>
    expected.operation === undefined || operation === expected.operation || covers(operation)
  const retried = received.retries().filter(isMeant)
  const wrong = retried.filter((call) => mistakeOf(call, expected) !== undefined)
  const wanted = `Expected retries${wordsOf(expected)}.`
  return result(
    retried.length > 0 && wrong.length === 0,
    () =>
      retried.length === 0
        ? `${wanted} None of ${received.calls.filter(isMeant).length} calls was tried again.`
        : `${wanted} ${wrong.length} of ${retried.length} retried calls were tried otherwise:\n${listed(wrong, (call) => mistakeOf(call, expected) ?? '')}`,
    () => `Expected no retries${wordsOf(expected)}, got:\n${listed(retried, () => '')}`,
  )
}

/** What is wrong with the retries of a call. `undefined`: nothing. */
function mistakeOf(
  { tries, gapsMs, growth }: RetriedCall,
  { times, backoff, capMs }: ExpectedRetries,
): string | undefined {
  const gaps = gapsMs.filter((gap) => gap !== undefined)
  if (times !== undefined && tries - 1 !== times) return `tried again ${tries - 1} times`
  const longest = Math.max(0, ...gaps)
  if (capMs !== undefined && longest > capMs * LATE) return `waited ${Math.round(longest)} ms`
  if (backoff === undefined) return undefined
  if (backoff === 'none') return longest > AT_ONCE_MS ? `waited ${Math.round(longest)} ms` : undefined
  if (growth === 'unknown') return 'has too few waits to tell how they grow'
  const isRight = backoff === 'growing' ? GROWING.has(growth) : growth === backoff
  return isRight ? undefined : `the waits are ${growth}`
}

function wordsOf({ operation, times, backoff, capMs }: ExpectedRetries): string {
  return [
    ...(operation === undefined ? [] : [` of \`${printable(operation, { max: 200 })}\``]),
    ...(times === undefined ? [] : [`, ${times} for each call`]),
    ...(backoff === undefined ? [] : [backoff === 'none' ? ', at once' : `, with ${backoff} waits`]),
    ...(capMs === undefined ? [] : [`, of at most ${capMs} ms`]),
  ].join('')
}

function listed(calls: readonly RetriedCall[], note: (call: RetriedCall) => string): string {
  const lines = calls.slice(0, LISTED).map((call) => {
    const waits = call.gapsMs.map((gap) => (gap === undefined ? 'none' : `${Math.round(gap)}`)).join(', ')
    const mistake = note(call)
    return `  ${printable(call.operation, { max: 200 })}: ${call.tries} tries, waits in ms: ${waits}${mistake === '' ? '' : ` (${mistake})`}`
  })
  return [...lines, ...(calls.length > LISTED ? [`  and ${calls.length - LISTED} more`] : [])].join('\n')
}

function assertObservation(value: unknown): asserts value is Observation {
  const isObservation = typeof value === 'object' && value !== null && 'calls' in value && 'retries' in value
  if (!isObservation || typeof value.retries !== 'function')
    throw new TypeError(
      'toHaveRetried expects an observation of calls, as `observeCalls` of @chaos/adapter/observe returns it.',
    )
}
