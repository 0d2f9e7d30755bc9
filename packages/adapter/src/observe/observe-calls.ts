import { ChaosError, inject, type Clock, type InjectOptions, type Scope } from '@chaos/core'
import { checkOptions, MAX_TIMER_MS, option, optionsSchema, systemClock, unknownName } from '@chaos/core/authoring'
import { callOptions } from '../calls/call.js'
import { httpTarget, type HttpTarget } from '../http/target.js'
import type { AnswerKind } from '../calls/answers.js'
import { accountOf, type CallAccount } from './account.js'
import type { Attempt, ObservedCall } from './attempt.js'
import { CallLedger, type Totals } from './call-ledger.js'
import { Callers } from './callers.js'
import { retryChecks, violationOf, type RetryCheck, type RetryViolation, type Seen } from './checks.js'
import { Recorder, type SeenAttempt } from './recorder.js'
import { retriesOf, type Retries } from './retries.js'
import { watchCalls } from './watch-calls.js'
import { watchRequests } from './watch-requests.js'

/** What {@link observeCalls} observes: a target of call faults or of HTTP faults. */
export type ObservedTarget = object

const schema = optionsSchema({
  ...callOptions,
  only: option.optional(option.names('Operations to observe: names or globs. Default: all.')),
  keyOf: option.optional(option.func<(call: SeenAttempt) => unknown>('Returns what tells a call from others.')),
  idempotencyKeyOf: option.optional(
    option.func<(call: SeenAttempt) => unknown>('Returns the idempotency key of an attempt.'),
  ),
  retryWithinMs: option.optional(
    option.durationMs('Time after a failure in which an equal call counts as a retry, in ms.'),
    60_000,
  ),
  remember: option.optional(option.count('Number of calls to remember; the oldest are forgotten first.', 1), 1_000),
  maxAttempts: option.optional(option.count('Attempts of one call that `no-cap` accepts.', 1), 10),
  minDelayMs: option.optional(option.durationMs('Shortest wait before an attempt that `no-delay` accepts, in ms.'), 10),
  maxAmplification: option.optional(
    option.number('Attempts for each call above that `retry-storm` accepts.', 1, Number.MAX_SAFE_INTEGER),
    5,
  ),
  isFinal: option.optional(
    option.func<(attempt: Attempt) => boolean>('Decides whether no retry can succeed after a failed attempt.'),
  ),
  unsafe: option.optional(option.names('Operations that must not be done twice, for `unsafe-retry`: names or globs.'), [
    'POST *',
    'PATCH *',
  ]),
  // Used as they are, and listed here for whoever mistypes one.
  scope: option.optional(option.live(() => true, 'a scope', 'Observe only what is done on behalf of this scope.')),
  above: option.optional(option.live(() => true, 'a target or an observation', 'What calls the target.')),
  clock: option.optional(option.live<Clock>(() => true, 'a clock', 'Source of time.')),
})

/** Options of {@link observeCalls}. */
export interface ObserveCallsOptions {
  /** The methods, or commands of a bound client, to observe: names or globs. Default: all async methods, all commands. */
  readonly methods?: string | readonly string[]
  /** How the methods answer. Default: as the function and its arguments tell, else with a promise. */
  readonly answers?: AnswerKind
  /** The operations to observe: names or globs. Default: all. Of HTTP: `POST http://127.0.0.1:8080/*`. */
  readonly only?: string | readonly string[]
  /** Observe only what is done on behalf of this scope and of scopes within. Default: everything. */
  readonly scope?: Scope | string
  /** Returns what tells a call from other calls of its operation. Default: its arguments; of a request its URL. */
  readonly keyOf?: (call: SeenAttempt) => unknown
  /** Returns the idempotency key of an attempt. Default: the header `idempotency-key`, or the field `idempotencyKey` of an argument. */
  readonly idempotencyKeyOf?: (call: SeenAttempt) => unknown
  /** What calls the target: an observation, or a target to observe as well. It counts the calls from which attempts come. */
  readonly above?: CallObservation | ObservedTarget
  /** The time after a failure in which an equal call counts as a retry, in ms. Default 60,000. */
  readonly retryWithinMs?: number
  /** The number of calls to remember. The oldest are forgotten first, and stay counted. Default 1,000. */
  readonly remember?: number
  /** The attempts of one call that the check `no-cap` accepts. Default 10. */
  readonly maxAttempts?: number
  /** The shortest wait before an attempt that the check `no-delay` accepts, in ms. Default 10. */
  readonly minDelayMs?: number
  /** The attempts for each call above that the check `retry-storm` accepts. Default 5. */
  readonly maxAmplification?: number
  /** Decides whether no retry can succeed after a failed attempt. Default: statuses such as 400, and errors of the caller's own. */
  readonly isFinal?: (attempt: Attempt) => boolean
  /** The operations that must not be done twice, for the check `unsafe-retry`: names or globs. Default: `POST *` and `PATCH *`. */
  readonly unsafe?: string | readonly string[]
  /** The source of time. Default: the real clock. */
  readonly clock?: Clock
}

/** The observation of a target's calls. */
export interface CallObservation {
  /** The calls so far, oldest first, each with its attempts. */
  readonly calls: readonly ObservedCall[]
  /** The figures so far. */
  readonly account: CallAccount
  /** Returns how calls were tried again, one entry for each call with more than one attempt. */
  retries(): readonly Retries[]
  /** Looks for a mistake. @returns `undefined` if no call shows it. */
  violation(check: RetryCheck): RetryViolation | undefined
  /** Looks for mistakes. Default: all of {@link retryChecks}. */
  violations(checks?: readonly RetryCheck[]): readonly RetryViolation[]
  /**
   * Returns a function that reads one figure, or the number of calls that show a mistake, for a probe of an experiment:
   * `read: calls.probe('amplification')`.
   */
  probe(reading: keyof CallAccount | RetryCheck): () => number | undefined
  /** Stops observing and restores the target. What was seen stays available. */
  stop(): Promise<void>
}

/** What an observation shares with those below it. */
interface Above {
  readonly callers: Callers
  readonly totals: Totals
}

const observations = new WeakMap<object, Above>()

/**
 * Records the attempts that a target gets, and groups them into the calls that the application wanted done once. It shows how
 * clients retry.
 *
 * It sees what the caller sees, also of faults that are injected later, and changes no outcome.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the target is neither one of call faults nor one of HTTP faults, or if `methods`
 *   match nothing; `CHAOS_INVALID_OPTION` for an invalid option, or an error of `inject`.
 */
export async function observeCalls(
  target: ObservedTarget,
  { clock = systemClock, above, scope, ...given }: ObserveCallsOptions = {},
): Promise<CallObservation> {
  const options = checkOptions(schema, given, 'observeCalls')
  const { methods, answers, only, keyOf, idempotencyKeyOf, retryWithinMs, remember, ...limits } = options
  const isRequests = methods === undefined && answers === undefined && httpTarget.accepts(target)
  const ownAbove = above === undefined || observations.has(above) ? undefined : await observeCalls(above, { clock })
  const upper = observations.get(ownAbove ?? above ?? {})
  const ledger = new CallLedger(remember, retryWithinMs)
  const callers = new Callers()
  const recorder = new Recorder(ledger, clock, callers, upper?.callers, { keyOf, idempotencyKeyOf })
  const injectOptions: InjectOptions = {
    leaseMs: MAX_TIMER_MS,
    ...(only !== undefined && { only }),
    ...(scope !== undefined && { scope }),
  }
  const end = async (): Promise<void> => ownAbove?.stop()
  const watch = await (
    isRequests
      ? inject(watchRequests({ recorder }), target as HttpTarget, injectOptions)
      : inject(watchCalls({ recorder, methods, answers }), target, injectOptions)
  ).catch(async (error: unknown) => {
    await end()
    throw error
  })

  const retries = (): readonly Retries[] => ledger.calls.filter(({ tries }) => tries > 1).map(retriesOf)
  const account = (tried = retries()): CallAccount =>
    accountOf(ledger.totals, ledger.calls, tried, upper?.totals, limits.minDelayMs)
  const seen = (): Seen => {
    const tried = retries()
    return { calls: ledger.calls, retries: tried, account: account(tried), callsAbove: upper?.totals.attempts, limits }
  }
  const violation = (check: RetryCheck, read = seen()): RetryViolation | undefined => violationOf(checked(check), read)
  const observation: CallObservation = {
    get calls() {
      return ledger.calls
    },
    get account() {
      return account()
    },
    retries,
    violation: (check) => violation(check),
    violations(checks = retryChecks) {
      const read = seen()
      return checks.flatMap((check) => violation(check, read) ?? [])
    },
    probe(reading) {
      if (isCheck(reading)) return () => violation(reading)?.calls.length ?? 0
      if (!Object.hasOwn(account(), reading))
        throw new ChaosError(
          'CHAOS_INVALID_OPTION',
          unknownName('reading of observeCalls', reading, [...Object.keys(account()), ...retryChecks]),
        )
      return () => account()[reading]
    },
    async stop() {
      await watch.rollback()
      await end()
    },
  }
  observations.set(observation, { callers, totals: ledger.totals })
  return observation
}

function isCheck(name: string): name is RetryCheck {
  return (retryChecks as readonly string[]).includes(name)
}

function checked(check: RetryCheck): RetryCheck {
  if (isCheck(check)) return check
  throw new ChaosError('CHAOS_INVALID_OPTION', unknownName('check of observeCalls', check, retryChecks))
}
