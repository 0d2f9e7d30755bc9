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
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when nothing is chosen, or a method answers in a way that the fault cannot do with
 */
export function methodCalls(
  target: MethodTarget,
  { methods, answers: given }: ChosenCalls,
  { needs, only, isOn, timing }: CallNeeds,
): (context: InjectionContext, act: (call: Call) => unknown) => void {
  const holder = holderOf(target)
  const chosen = chooseMembers(holder, methods, given)
  const able = chosen.filter((member) => isAble(member, needs, only))
  // By default a fault takes what it can do with; what was asked for by name it must.
  const members = methods === undefined && able.length > 0 ? able : chosen
  for (const member of members) assertAble(member, needs, only)
  return (context, act) => {
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
        const proceed = (): unknown => below.call.apply(self, args) as unknown
        const answer = act(callOf({ name, args, target: self, answers, proceed }, timing))
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
        const answer = Promise.resolve(act(callOf({ name, args, target: self, answers, proceed }, timing)))
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
