import { ChaosError } from '@chaos/core'
import { originalOf, type Below, type Chance, type InjectionContext } from '@chaos/core/authoring'
import { types } from 'node:util'
import { answerChanges } from './answer.js'
import { answersOf } from './answers.js'
import { callOf, COUNTED, decider, type Call, type CallNeeds, type ChosenCalls } from './call.js'
import {
  calledBack,
  callbackIn,
  learnedUse,
  learnUse,
  tellBack,
  type FoundCallback,
  type FunctionUse,
  type Outcome,
} from './callback-style.js'
import { actWhenExecuted } from './lazy-answers.js'
import { chooseMembers, type Member, type MethodTarget } from './methods.js'

/**
 * The calls of the chosen methods of an object, a class or a breakable function.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if nothing is chosen, or if a chosen method answers in a way that the
 *   fault does not support.
 */
export function methodCalls(
  target: MethodTarget,
  { methods, answers: given }: ChosenCalls,
  calls: CallNeeds,
): (context: InjectionContext, act: (call: Call) => unknown) => void {
  const { needs, isOn, countsEffects, timing } = calls
  const chosen = chooseMembers(target, methods, given)
  const able = chosen.filter((member) => isAble(member, needs))
  // By default a fault skips methods that it does not support. A method named in `methods` must be supported.
  const members = methods === undefined && able.length > 0 ? able : chosen
  for (const member of members) assertAble(member, needs)
  return (context, act) => {
    const changes = answerChanges(context)
    const decide = decider(calls, context)
    for (const { holder, name, isGetter, answers: kind } of members) {
      const operation = context.operation(name)
      // A method that the blast radius excludes by name needs no patch.
      if (!operation.covers()) continue
      const answers = answersOf[kind]
      const method = isGetter ? undefined : originalOf(holder, name)
      // An `async` function always answers with a promise. Any other function may take a callback, which its arguments
      // reveal.
      const mayCallBack =
        kind === 'callback' || (kind === 'promise' && given === undefined && !types.isAsyncFunction(method))
      let use: FunctionUse | undefined = kind === 'callback' ? kind : learnedUse(method)
      const hit = (self: unknown, args: unknown[], below: Below, lands: Chance): unknown => {
        const found = mayCallBack ? callbackIn(args, method, use) : undefined
        if (typeof found === 'object') return hitCallback(self, args, below, lands, found)
        const proceed = (): unknown => below.call.apply(self, args) as unknown
        const answer = act(callOf({ name, args, target: self, answers, lands, proceed }, changes, timing))
        // A caller that passed a function may ignore the promise of a method that surely makes one.
        if (mayCallBack && use === undefined && args.some(isFunction)) Promise.resolve(answer).catch(() => undefined)
        return answer
      }
      const hitCallback = (
        self: unknown,
        args: unknown[],
        below: Below,
        lands: Chance,
        found: FoundCallback,
      ): unknown => {
        const outcome: Outcome = { given: undefined, isPromised: false, late: undefined }
        const proceed = (): Promise<unknown> =>
          calledBack((own) => below.call.apply(self, found.argsWith(own)) as unknown, found, outcome)
        const answer = Promise.resolve(
          act(callOf({ name, args, target: self, answers, lands, proceed }, changes, timing)),
        )
        tellBack(answer, found, outcome)
        return answer
      }
      const build = (self: unknown, args: unknown[], below: Below): unknown => {
        const query = below.call.apply(self, args) as unknown
        if (context.signal.aborted) return query
        actWhenExecuted(
          query,
          (proceed) => {
            const lands = decide(operation, args)
            if (lands === undefined) return undefined
            return {
              answer: act(callOf({ name, args, target: self ?? target, answers, lands, proceed }, changes, timing)),
            }
          },
          changes,
        )
        return query
      }
      const lazy = (below: Below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          return build(this, args, below)
        }
      // Every call takes one of these two paths. The functions stay small and forward `args` whole, so that V8 inlines
      // them and allocates no array for a call that passes.
      const alone = (below: Below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          return operation.shouldInject(args)
            ? hit(this, args, below, COUNTED)
            : (below.call.apply(this, args) as unknown)
        }
      // A layer over another one is a function of its own, so that layers and the method do not share what V8 has learnt
      // about a call. What is below it varies: there V8 makes a cheaper call of `Reflect.apply` than of `apply`.
      const stacked = (below: Below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          return operation.shouldInject(args)
            ? hit(this, args, below, COUNTED)
            : (Reflect.apply(below.call, this, args) as unknown)
        }
      const always = (below: Below) => (below.next === undefined ? alone(below) : stacked(below))
      const gated = (below: Below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          const lands = decide(operation, args)
          return lands === undefined ? (below.call.apply(this, args) as unknown) : hit(this, args, below, lands)
        }
      const plain = kind === 'lazy' ? lazy : isOn === undefined && countsEffects !== true ? always : gated
      // A function may be what the caller waits for, or data. The first call that leaves it open passes, and its answer tells.
      const learning = (below: Below) => {
        const decided = plain(below)
        const learn = (self: unknown, args: unknown[]): unknown => {
          if (callbackIn(args, method, use) !== 'unclear' || !operation.covers(args)) return decided.apply(self, args)
          context.account('unclear').unclear += 1
          const answer = below.call.apply(self, args) as unknown
          use = learnUse(method, answer)
          return answer
        }
        return function (this: unknown, ...args: unknown[]): unknown {
          // With `some`, or with `for` and `of`, a synchronous call that passes takes 20 ns longer (bench, suite sync-call).
          if (use === undefined)
            // eslint-disable-next-line @typescript-eslint/prefer-for-of -- `for` and `of` is slower
            for (let at = 0; at < args.length; at += 1) if (typeof args[at] === 'function') return learn(this, args)
          return decided.apply(this, args)
        }
      }
      const layer = mayCallBack && kind === 'promise' ? learning : plain
      context.patch(holder, name, layer, { getter: isGetter })
    }
  }
}

const isFunction = (value: unknown): boolean => typeof value === 'function'

const ABILITIES = {
  late: 'can wait',
  one: 'answer with one value',
  'late one': 'answer with a promise',
  many: 'answer with an iteration or a stream',
} as const

function isAble({ answers }: Member, needs: CallNeeds['needs']): boolean {
  if (needs === undefined) return true
  const { late, one } = answersOf[answers]
  return {
    late: late !== undefined,
    one: one !== undefined,
    'late one': late !== undefined && one !== undefined,
    many: one === undefined,
  }[needs]
}

function assertAble(member: Member, needs: CallNeeds['needs']): void {
  if (needs === undefined || isAble(member, needs)) return
  const { name, answers } = member
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected methods that ${ABILITIES[needs]}, got \`${name}\`, which answers with ${/^[aeiou]/.test(answers) ? 'an' : 'a'} ${answers}. Choose other \`methods\`, or set \`answers\` to the way in which the method answers.`,
  )
}
