import { ChaosError } from '@chaos/core'
import { type InjectionContext, type Operation } from '@chaos/core/authoring'
import { bindingOf, commandMatcher, type CommandTarget } from './commands.js'
import type { Call } from './affect-calls.js'
import { answersOf, attempt, type AnswerKind } from './answers.js'

/**
 * Lays a fault over the commands of a bound client.
 *
 * @param affect Answers a command that was chosen, always with a promise; the binding tells the caller in the driver's own way.
 * @param isOn Whether calls are affected at the moment. Default: always.
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when `methods` name what is no command, or `answers` say how commands answer
 */
export function affectCommands(
  target: CommandTarget,
  {
    methods,
    answers = 'promise',
  }: { readonly methods?: string | readonly string[] | undefined; readonly answers?: AnswerKind | undefined },
  context: InjectionContext,
  affect: (call: Call) => unknown,
  isOn: (() => boolean) | undefined,
): void {
  if (answers !== 'promise')
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Expected no \`answers\` for a bound client of a driver, whose binding knows how commands answer, got \`${answers}\`. Leave it out.`,
    )
  const binding = bindingOf(target)
  const isWanted = commandMatcher(binding, methods)
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
    answer: ({ name, client, ...command }) =>
      attempt(() => affect({ ...command, method: name, target: client, answers: answersOf.promise })),
  })
}
