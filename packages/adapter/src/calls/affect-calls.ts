import { ChaosError } from '@chaos/core'
import { option, originalOf, type Below, type HeldOn, type InjectionContext } from '@chaos/core/authoring'
import { isCommandTarget, type Endpoint, type WithinResult } from './commands.js'
import { chooseMembers, holderOf, type Member, type MethodTarget } from './methods.js'
import { affectCommands } from './affect-commands.js'
import { types } from 'node:util'
import { calledBack, callbackIn, tellBack } from './callback-style.js'
import { answerKinds, answersOf, type Answers, type AnswerKind } from './answers.js'

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

/** A call that a fault affects. */
export interface Call {
  readonly method: string
  readonly args: readonly unknown[]
  /** What it was called on. */
  readonly target: unknown
  readonly answers: Answers
  /** Where its service is, where that is known. */
  readonly endpoint?: Endpoint | undefined
  /** What it is held on, where that can be told: see `Command.on`. */
  readonly on?: HeldOn | undefined
  /** The caller's own signal, where it is not among the arguments. */
  readonly signal?: AbortSignal | undefined
  /** Reaches the data in its answer. Default: the answer is the data. */
  readonly within?: WithinResult | undefined
  /** Lets it go to the service. */
  readonly proceed: () => unknown
}

/** The way into a result that is data itself. */
export const asItIs: WithinResult = (result, change) => change(result)

/** What a fault needs of the methods it acts on. */
export interface CallNeeds {
  /** What an answer must be able to do: be `late`, be `one` value, or be `many`. */
  readonly needs?: 'late' | 'one' | 'many' | undefined
  /** Kinds that the fault can do with, where `needs` does not say it all. */
  readonly only?: AnswerKind | undefined
  /** Whether calls are affected at the moment, asked for each call that `only` covers. Where they are not, a call is outside the blast radius. Default: always. */
  readonly isOn?: (() => boolean) | undefined
}

/**
 * Lays a fault over the chosen methods of a target, or over the chosen commands of a bound client.
 *
 * @param affect Answers a call that was chosen.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when nothing is chosen, or a method answers in a way that the fault cannot do with
 */
export function affectCalls(
  target: MethodTarget,
  {
    methods,
    answers: given,
  }: { readonly methods?: string | readonly string[] | undefined; readonly answers?: AnswerKind | undefined },
  context: InjectionContext,
  affect: (call: Call) => unknown,
  { needs, only, isOn }: CallNeeds = {},
): void {
  if (isCommandTarget(target)) {
    affectCommands(target, { methods, answers: given }, context, affect, isOn)
    return
  }
  const holder = holderOf(target)
  const chosen = chooseMembers(holder, methods, given)
  const able = chosen.filter((member) => isAble(member, needs, only))
  // By default a fault takes what it can do with; what was asked for by name it must.
  const members = methods === undefined && able.length > 0 ? able : chosen
  for (const member of members) assertAble(member, needs, only)
  for (const { name, isGetter, answers: kind } of members) {
    const operation = context.operation(name)
    // What the blast radius leaves out by its name need not be covered at all.
    if (!operation.covers()) continue
    const answers = answersOf[kind]
    // An `async` function answers with a promise whatever it is given; of others it is seen by what they are given.
    const mayCallBack = kind === 'promise' && given === undefined && !types.isAsyncFunction(originalOf(holder, name))
    const hit = (self: unknown, args: unknown[], below: Below): unknown => {
      const callback = mayCallBack ? callbackIn(args) : undefined
      if (callback !== undefined) return hitCallback(self, args, below, callback)
      const answer = affect({
        method: name,
        args,
        target: self,
        answers,
        proceed: () => below.call.apply(self, args) as unknown,
      })
      // Whoever gave a function may not look at what is returned.
      if (mayCallBack && typeof args.at(-1) === 'function') Promise.resolve(answer).catch(() => undefined)
      return answer
    }
    const hitCallback = (
      self: unknown,
      args: unknown[],
      below: Below,
      callback: (...told: unknown[]) => unknown,
    ): unknown => {
      const more: unknown[] = []
      const proceed = (): Promise<unknown> =>
        calledBack((own) => below.call.call(self, ...args.slice(0, -1), own) as unknown, more)
      const answer = Promise.resolve(affect({ method: name, args, target: self, answers, proceed }))
      tellBack(answer, callback, more)
      return answer
    }
    // What every call passes is kept small and hands `args` on whole, so that V8 inlines it and makes no array of a call that passes.
    const always = (below: Below) =>
      function (this: unknown, ...args: unknown[]): unknown {
        return operation.shouldInject(args) ? hit(this, args, below) : (below.call.apply(this, args) as unknown)
      }
    const gated = (isOnNow: () => boolean) => (below: Below) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const isInside = !context.signal.aborted && operation.covers(args) && isOnNow()
        return isInside && operation.shouldInject(args)
          ? hit(this, args, below)
          : (below.call.apply(this, args) as unknown)
      }
    context.patch(holder, name, isOn === undefined ? always : gated(isOn), { getter: isGetter })
  }
}

const ABILITIES = {
  late: 'can be kept waiting',
  one: 'answer with one value',
  many: 'answer with an iteration or a stream',
} as const

function isAble({ answers }: Member, needs: CallNeeds['needs'], only: CallNeeds['only']): boolean {
  if (only !== undefined) return answers === only
  const { late, one } = answersOf[answers]
  return { late: late !== undefined, one: one !== undefined, many: one === undefined, undefined: true }[
    needs ?? 'undefined'
  ]
}

function assertAble(member: Member, needs: CallNeeds['needs'], only: CallNeeds['only']): void {
  if (isAble(member, needs, only)) return
  const { name, answers } = member
  const expected =
    only === undefined ? `methods that ${ABILITIES[needs ?? 'late']}` : `methods that answer with a ${only}`
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected ${expected}, got \`${name}\`, which answers with ${/^[aeiou]/.test(answers) ? 'an' : 'a'} ${answers}. Choose others in \`methods\`, or say in \`answers\` how it answers.`,
  )
}
