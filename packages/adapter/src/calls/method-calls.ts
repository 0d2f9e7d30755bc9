import { ChaosError } from '@chaos/core'
import { originalOf, type Below, type InjectionContext } from '@chaos/core/authoring'
import { types } from 'node:util'
import { answerChanges } from './answer.js'
import { answersOf } from './answers.js'
import { callOf, type Call, type CallNeeds, type ChosenCalls } from './call.js'
import { calledBack, callbackIn, tellBack, type FoundCallback, type Outcome } from './callback-style.js'
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
  { needs, isOn, timing }: CallNeeds,
): (context: InjectionContext, act: (call: Call) => unknown) => void {
  const chosen = chooseMembers(target, methods, given)
  const able = chosen.filter((member) => isAble(member, needs))
  // By default a fault skips methods that it does not support. A method named in `methods` must be supported.
  const members = methods === undefined && able.length > 0 ? able : chosen
  for (const member of members) assertAble(member, needs)
  return (context, act) => {
    const changes = answerChanges(context)
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
      const hit = (self: unknown, args: unknown[], below: Below): unknown => {
        const found = mayCallBack ? callbackIn(args, method, kind === 'callback') : undefined
        if (found !== undefined) return hitCallback(self, args, below, found)
        const proceed = (): unknown => below.call.apply(self, args) as unknown
        const answer = act(callOf({ name, args, target: self, answers, proceed }, changes, timing))
        // A caller that passed a function may ignore the returned promise.
        if (mayCallBack && typeof args.at(-1) === 'function') Promise.resolve(answer).catch(() => undefined)
        return answer
      }
      const hitCallback = (self: unknown, args: unknown[], below: Below, found: FoundCallback): unknown => {
        const outcome: Outcome = { more: [], isPromised: false }
        const proceed = (): Promise<unknown> =>
          calledBack((own) => below.call.apply(self, found.argsWith(own)) as unknown, outcome)
        const answer = Promise.resolve(act(callOf({ name, args, target: self, answers, proceed }, changes, timing)))
        tellBack(answer, found.callback, outcome)
        return answer
      }
      const decides = (args: unknown[]): boolean =>
        isOn === undefined
          ? operation.shouldInject(args)
          : !context.signal.aborted && operation.covers(args) && isOn() && operation.shouldInject(args)
      const build = (self: unknown, args: unknown[], below: Below): unknown => {
        const query = below.call.apply(self, args) as unknown
        if (context.signal.aborted) return query
        actWhenExecuted(
          query,
          (proceed) =>
            decides(args)
              ? { answer: act(callOf({ name, args, target: self ?? target, answers, proceed }, changes, timing)) }
              : undefined,
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
          return operation.shouldInject(args) ? hit(this, args, below) : (below.call.apply(this, args) as unknown)
        }
      // A layer over another one is a function of its own, so that layers and the method do not share what V8 has learnt
      // about a call. What is below it varies: there V8 makes a cheaper call of `Reflect.apply` than of `apply`.
      const stacked = (below: Below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          return operation.shouldInject(args)
            ? hit(this, args, below)
            : (Reflect.apply(below.call, this, args) as unknown)
        }
      const always = (below: Below) => (below.next === undefined ? alone(below) : stacked(below))
      const gated = (below: Below) =>
        function (this: unknown, ...args: unknown[]): unknown {
          return decides(args) ? hit(this, args, below) : (below.call.apply(this, args) as unknown)
        }
      const layer = kind === 'lazy' ? lazy : isOn === undefined ? always : gated
      context.patch(holder, name, layer, { getter: isGetter })
    }
  }
}

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
