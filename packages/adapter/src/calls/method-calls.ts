import { ChaosError } from '@chaos/core'
import { originalOf, type Below, type InjectionContext } from '@chaos/core/authoring'
import { types } from 'node:util'
import { answersOf } from './answers.js'
import { callOf, type Call, type CallNeeds, type ChosenCalls } from './call.js'
import { calledBack, callbackIn, tellBack } from './callback-style.js'
import { chooseMembers, holderOf, type Member, type MethodTarget } from './methods.js'

/**
 * The calls of the chosen methods of an object, a class or a breakable function.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if nothing is chosen, or if a chosen method answers in a way that the
 *   fault does not support.
 */
export function methodCalls(
  target: MethodTarget,
  { methods, answers: given }: ChosenCalls,
  { needs, only, isOn, timing }: CallNeeds,
): (context: InjectionContext, act: (call: Call) => unknown) => void {
  const holder = holderOf(target)
  const chosen = chooseMembers(holder, methods, given)
  const able = chosen.filter((member) => isAble(member, needs, only))
  // By default a fault skips methods that it does not support. A method named in `methods` must be supported.
  const members = methods === undefined && able.length > 0 ? able : chosen
  for (const member of members) assertAble(member, needs, only)
  return (context, act) => {
    for (const { name, isGetter, answers: kind } of members) {
      const operation = context.operation(name)
      // A method that the blast radius excludes by name needs no patch.
      if (!operation.covers()) continue
      const answers = answersOf[kind]
      // An `async` function always answers with a promise. Any other function may take a callback, which its arguments
      // reveal.
      const mayCallBack = kind === 'promise' && given === undefined && !types.isAsyncFunction(originalOf(holder, name))
      const hit = (self: unknown, args: unknown[], below: Below): unknown => {
        const callback = mayCallBack ? callbackIn(args) : undefined
        if (callback !== undefined) return hitCallback(self, args, below, callback)
        const proceed = (): unknown => below.call.apply(self, args) as unknown
        const answer = act(callOf({ name, args, target: self, answers, proceed }, timing))
        // A caller that passed a function may ignore the returned promise.
        if (mayCallBack && typeof args.at(-1) === 'function') Promise.resolve(answer).catch(() => undefined)
        return answer
      }
      const hitCallback = (
        self: unknown,
        args: unknown[],
        below: Below,
        callback: (...results: unknown[]) => unknown,
      ): unknown => {
        const more: unknown[] = []
        const proceed = (): Promise<unknown> =>
          calledBack((own) => below.call.call(self, ...args.slice(0, -1), own) as unknown, more)
        const answer = Promise.resolve(act(callOf({ name, args, target: self, answers, proceed }, timing)))
        tellBack(answer, callback, more)
        return answer
      }
      // Every call takes this path. The function stays small and forwards `args` whole, so that V8 inlines it and
      // allocates no array for a call that passes.
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
}

const ABILITIES = {
  late: 'can wait',
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
    `Expected ${expected}, got \`${name}\`, which answers with ${/^[aeiou]/.test(answers) ? 'an' : 'a'} ${answers}. Choose other \`methods\`, or set \`answers\` to the way in which the method answers.`,
  )
}
