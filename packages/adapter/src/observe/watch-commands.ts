import type { InjectionContext } from '@chaos/core/authoring'
import type { ChosenCalls } from '../calls/call.js'
import { bindingOf, commandMatcher, type CommandTarget } from '../calls/commands.js'
import type { Recorder } from './recorder.js'

/** Records the commands of a bound client. */
export function watchCommands(
  target: CommandTarget,
  { methods }: ChosenCalls,
  context: InjectionContext,
  recorder: Recorder,
): void {
  const binding = bindingOf(target)
  const isWanted = commandMatcher(binding, methods)
  binding.patch(context, {
    // A connection that is made is no command.
    chooses: (name, args) => name !== 'connect' && isWanted(name) && context.operation(name).shouldInject(args),
    watch: ({ name, args }) => recorder.begin({ operation: name, args }),
    async answer({ name, args, signal, proceed }) {
      const { run, done, failed } = recorder.begin({ operation: name, args, signal })
      try {
        const result = await run(proceed)
        done(result)
        return result
      } catch (error) {
        failed(error)
        throw error
      }
    },
  })
}
