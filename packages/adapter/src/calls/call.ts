import { option, type Chance, type InjectionContext, type Operation, type SeamOperation } from '@chaos/core/authoring'
import type { Timing } from '../errors/timing.js'
import { signalIn } from '../operations/caller-signal.js'
import type { AnswerChanges, Answers } from './answer.js'
import { answerKinds, type AnswerKind } from './answers.js'
import type { Endpoint, WithinResult } from './commands.js'

/** The options that all call faults share. */
export const callOptions = {
  methods: option.optional(
    option.names(
      'Methods, or commands of a bound client, to affect: names or globs. Default: all async methods, all commands.',
    ),
  ),
  answers: option.optional(
    option.oneOf(answerKinds, 'How the methods answer. Default: as the function and its arguments tell, else promise.'),
  ),
}

/** The values of {@link callOptions}. */
export interface ChosenCalls {
  readonly methods?: string | readonly string[] | undefined
  readonly answers?: AnswerKind | undefined
}

/** A call of a method, or a command of a bound client. */
export interface Call extends SeamOperation {
  /** The `this` value of the call, or the client of the command. */
  readonly target: unknown
  readonly answers: Answers
  /** The address of the service, if known. */
  readonly endpoint?: Endpoint | undefined
  /** Changes the data inside the answer. Default: the answer is the data. */
  readonly within?: WithinResult | undefined
  /** With {@link CallNeeds.countsEffects}: counts the hit. Otherwise the hit is counted already, and this returns true. */
  readonly lands: Chance
}

/** Changes a result that is data itself. */
export const wholeResult: WithinResult = (result, change) => change(result)

/** The requirements of a fault on the calls that it affects. */
export interface CallNeeds {
  /** What an answer must support: `late` can wait, `one` has one value, `late one` both, `many` has many. */
  readonly needs?: 'late' | 'one' | 'late one' | 'many' | undefined
  /**
   * Whether the fault affects calls now. Called for each call that matches `only`. While it returns false, calls are
   * outside the blast radius. Default: always.
   */
  readonly isOn?: (() => boolean) | undefined
  /** When an injected failure rejects a promise. Default: at once. */
  readonly timing?: Timing | undefined
  /**
   * Whether a chosen call counts as affected only when the fault calls {@link Call.lands}, since its answer tells whether the
   * fault has an effect. Default: a chosen call is affected.
   */
  readonly countsEffects?: boolean | undefined
}

/** Decides about calls. */
export type Decide = (operation: Operation, args: readonly unknown[]) => Chance | undefined

/** The chance of a call whose hit is counted already. */
export const COUNTED: Chance = () => true

/** Returns how a fault decides about a call that its blast radius may cover. */
export function decider({ isOn, countsEffects }: CallNeeds, context: Pick<InjectionContext, 'signal'>): Decide {
  const decide: Decide =
    countsEffects === true
      ? (operation, args) => operation.chance(args)
      : (operation, args) => (operation.shouldInject(args) ? COUNTED : undefined)
  if (isOn === undefined) return decide
  // The signal is made when it is first read.
  const { signal } = context
  return (operation, args) =>
    !signal.aborted && operation.covers(args) && isOn() ? decide(operation, args) : undefined
}

/**
 * Completes a call of a method or a driver.
 *
 * @param changes Changes answers that are objects.
 * @param timing When an injected failure rejects a promise.
 */
export function callOf(
  source: Omit<Call, 'fail' | 'later' | 'signal'>,
  changes: AnswerChanges,
  timing: Timing | undefined,
  signal?: AbortSignal,
): Call {
  const { answers, args, proceed } = source
  const { late } = answers
  return {
    ...source,
    // Searched for on demand: reading the arguments of a method can be costly or throw.
    get signal() {
      return signal ?? signalIn(args)
    },
    fail: (error) => answers.failed(() => error, timing),
    later: late && ((keep) => late((open, close) => keep({ proceed: open, fail: close }), proceed, changes)),
  }
}
