import { ChaosError } from '@chaos/core'
import { byName, type Chance, type InjectionContext, type Operation } from '@chaos/core/authoring'
import { attempt, noChanges } from './answer.js'
import { answersOf } from './answers.js'
import { callOf, COUNTED, decider, type Call, type CallNeeds, type ChosenCalls } from './call.js'
import { bindingOf, commandMatcher, type CommandTarget } from './commands.js'

const NEVER: Chance = () => false

/** Whether a fault affects the commands of one name, and as which operation. */
interface Choice {
  readonly operation: Operation | undefined
  /** The chances of chosen commands that are not answered yet, oldest first. They differ in nothing but their number. */
  readonly chances: Chance[]
}

/** The most chances that are kept for one name. The commands of a transaction are chosen one by one and answered as one. */
const MAX_CHANCES = 100_000

/**
 * The commands of a bound client as calls. Each call answers with a promise; the binding hands the outcome to the
 * caller in the way of the driver.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `methods` name an unknown command, or if `answers` is given.
 */
export function commandCalls(
  target: CommandTarget,
  { methods, answers = 'promise' }: ChosenCalls,
  calls: CallNeeds,
): (context: InjectionContext, act: (call: Call) => unknown) => void {
  if (answers !== 'promise')
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `A bound client of a driver does not accept \`answers\` (\`${answers}\`): its binding knows how commands answer. Remove the option.`,
    )
  const binding = bindingOf(target)
  const isWanted = commandMatcher(binding, methods)
  const { countsEffects, timing } = calls
  return (context, act) => {
    const decide = decider(calls, context)
    // Clients send any name (`call('X1')`), so the choices are kept in bounded memory.
    const choose = (name: string | symbol): Choice => {
      const operation = isWanted(String(name)) ? context.operation(name) : undefined
      return { operation: operation?.covers() === true ? operation : undefined, chances: [] }
    }
    const choiceOf = byName(choose, ({ chances }, name) => ({ ...choose(name), chances }))
    binding.patch(context, {
      chooses(name, args) {
        const { operation, chances } = choiceOf(name)
        const chance = operation && decide(operation, args)
        if (chance !== undefined && countsEffects === true && chances.push(chance) > MAX_CHANCES) chances.shift()
        return chance !== undefined
      },
      answer: ({ client, signal, ...command }) =>
        attempt(() => {
          const lands = countsEffects === true ? (choiceOf(command.name).chances.shift() ?? NEVER) : COUNTED
          return act(
            callOf({ ...command, target: client, answers: answersOf.promise, lands }, noChanges, timing, signal),
          )
        }),
    })
  }
}
