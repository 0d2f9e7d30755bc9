import { tapNodeRedis, type InjectionContext } from '@chaos/core/authoring'
import { endpointOf, type CommandSeam } from '../../calls/commands.js'
import { nameOf } from './command.js'

/**
 * Affects the commands of clients where they write them.
 *
 * @returns `false` if the queue of the client is out of reach.
 */
export function patchQueue(holder: object, context: InjectionContext, seam: CommandSeam): boolean {
  return tapNodeRedis(holder, context, {
    choose(commands) {
      // Each command is counted.
      const [first] = commands.filter((args) => seam.chooses(nameOf(args), args.slice(1)))
      return first
    },
    answer: ({ client, args, on, send }) =>
      seam.answer({
        name: nameOf(args),
        args: args.slice(1),
        client,
        endpoint: endpointOf(undefined, client.options?.socket ?? {}),
        on,
        proceed: () => send(),
      }),
  })
}
