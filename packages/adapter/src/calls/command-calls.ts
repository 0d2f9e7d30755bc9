import { ChaosError } from '@chaos/core'
import { byName, type InjectionContext, type Operation } from '@chaos/core/authoring'
import { attempt, noChanges } from './answer.js'
import { answersOf } from './answers.js'
import { callOf, type Call, type CallNeeds, type ChosenCalls } from './call.js'
import { bindingOf, commandMatcher, type CommandTarget } from './commands.js'

/** Whether a fault affects the commands of one name, and as which operation. */
interface Choice {
  readonly operation: Operation | undefined
}

/**
 * The commands of a bound client as calls. Each call answers with a promise; the binding hands the outcome to the
 * caller in the way of the driver.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `methods` name an unknown command, or if `answers` is given.
 */
export function commandCalls(
  target: CommandTarget,
  { methods, answers = 'promise' }: ChosenCalls,
  { isOn, timing }: CallNeeds,
): (context: InjectionContext, act: (call: Call) => unknown) => void {
  if (answers !== 'promise')
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `A bound client of a driver does not accept \`answers\` (\`${answers}\`): its binding knows how commands answer. Remove the option.`,
    )
  const binding = bindingOf(target)
  const isWanted = commandMatcher(binding, methods)
  return (context, act) => {
    // Clients send any name (`call('X1')`), so the choices are kept in bounded memory.
    const choose = (name: string | symbol): Choice => {
      const operation = isWanted(String(name)) ? context.operation(name) : undefined
      return { operation: operation?.covers() === true ? operation : undefined }
    }
    const choiceOf = byName(choose, (_group, name) => choose(name))
    binding.patch(context, {
      chooses(name, args) {
        const { operation } = choiceOf(name)
        if (operation === undefined) return false
        if (isOn !== undefined && (context.signal.aborted || !operation.covers(args) || !isOn())) return false
        return operation.shouldInject(args)
      },
      answer: ({ client, signal, ...command }) =>
        attempt(() =>
          act(callOf({ ...command, target: client, answers: answersOf.promise }, noChanges, timing, signal)),
        ),
    })
  }
}
