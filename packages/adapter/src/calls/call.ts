import { option, type SeamOperation } from '@chaos/core/authoring'
import type { Timing } from '../errors/timing.js'
import { signalIn } from '../operations/caller-signal.js'
import { answerKinds, type AnswerKind, type Answers } from './answers.js'
import type { Endpoint, WithinResult } from './commands.js'

/** The options of every fault of calls. */
export const callOptions = {
  methods: option.optional(
    option.names(
      'Methods to affect, or commands of a bound client: names or globs. Default: every async method, every command.',
    ),
  ),
  answers: option.optional(
    option.oneOf(answerKinds, 'How the methods answer. Default: as their kind of function does, else with a promise.'),
  ),
}

/** Which calls of a target are affected, as a fault gets it. */
export interface ChosenCalls {
  readonly methods?: string | readonly string[] | undefined
  readonly answers?: AnswerKind | undefined
}

/** A call of a method, or a command of a bound client. */
export interface Call extends SeamOperation {
  /** What it was called on. */
  readonly target: unknown
  readonly answers: Answers
  /** Where its service is, where that is known. */
  readonly endpoint?: Endpoint | undefined
  /** Reaches the data in its answer. Default: the answer is the data. */
  readonly within?: WithinResult | undefined
}

/** The way into a result that is data itself. */
export const asItIs: WithinResult = (result, change) => change(result)

/** What a fault needs of the calls it acts on. */
export interface CallNeeds {
  /** What an answer must be able to do: be `late`, be `one` value, or be `many`. */
  readonly needs?: 'late' | 'one' | 'many' | undefined
  /** Kinds that the fault can do with, where `needs` does not say it all. */
  readonly only?: AnswerKind | undefined
  /** Whether calls are affected at the moment, asked for each call that `only` covers. Where they are not, a call is outside the blast radius. Default: always. */
  readonly isOn?: (() => boolean) | undefined
  /** When a promise that fails rejects. Default: at once. */
  readonly timing?: Timing | undefined
}

/** A call, from what its source knows of it. @param timing When a promise that fails rejects */
export function callOf(
  source: Omit<Call, 'fail' | 'later' | 'signal'>,
  timing: Timing | undefined,
  signal?: AbortSignal,
): Call {
  const { answers, args, proceed } = source
  const { late } = answers
  return {
    ...source,
    // Looked for where it matters: what a method is called with may be anything.
    get signal() {
      return signal ?? signalIn(args)
    },
    fail: (error) => answers.failed(() => error, timing),
    later: late && ((keep) => late((open, close) => void keep({ proceed: open, fail: close }), proceed)),
  }
}
