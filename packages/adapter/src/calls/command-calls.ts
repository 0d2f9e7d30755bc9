import { ChaosError } from '@chaos/core'
import type { InjectionContext, Operation } from '@chaos/core/authoring'
import { answersOf, attempt } from './answers.js'
import { callOf, type Call, type CallNeeds, type ChosenCalls } from './call.js'
import { bindingOf, commandMatcher, type CommandTarget } from './commands.js'

/**
 * The commands of a bound client as calls. What becomes of one is a promise; the binding tells the caller in the driver's own way.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when `methods` name what is no command, or `answers` say how commands answer
 */
export function commandCalls(
  target: CommandTarget,
  { methods, answers = 'promise' }: ChosenCalls,
  { isOn, timing }: CallNeeds,
): (context: InjectionContext, act: (call: Call) => unknown) => void {
  if (answers !== 'promise')
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Expected no \`answers\` for a bound client of a driver, whose binding knows how commands answer, got \`${answers}\`. Leave it out.`,
    )
  const binding = bindingOf(target)
  const isWanted = commandMatcher(binding, methods)
  return (context, act) => {
    const operations = new Map<string, Operation | undefined>()
    const operationOf = (name: string): Operation | undefined => {
      if (operations.has(name)) return operations.get(name)
      const operation = isWanted(name) ? context.operation(name) : undefined
      const covering = operation?.covers() === true ? operation : undefined
      operations.set(name, covering)
      return covering
    }
    binding.lay(context, {
      chooses(name, args) {
        const operation = operationOf(name)
        if (operation === undefined) return false
        if (isOn !== undefined && (context.signal.aborted || !operation.covers(args) || !isOn())) return false
        return operation.shouldInject(args)
      },
      answer: ({ client, signal, ...command }) =>
        attempt(() => act(callOf({ ...command, target: client, answers: answersOf.promise }, timing, signal))),
    })
  }
}
