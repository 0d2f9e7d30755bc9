import type { InjectionContext } from '@chaos/core/authoring'
import { loadedClass } from '../../errors/loaded-module.js'
import { endpointOf, type Command, type CommandSeam } from '../../calls/commands.js'
import { nameOf, type CommandArgs, type Connection } from './command.js'

interface CommandOptions {
  readonly abortSignal?: AbortSignal
}

/** A command of a `multi`, before it is sent. */
interface QueuedCommand {
  readonly args: CommandArgs
}

/** Used if the application has not loaded node-redis. */
class AbortError extends Error {
  constructor() {
    super('The command was aborted')
  }
}

/**
 * Affects the commands of clients where they are called. For a client whose queue is out of reach: above its timeouts and
 * instrumentations.
 */
export function patchCalls(holder: object, context: InjectionContext, seam: CommandSeam): void {
  const commandOf = (
    client: Connection,
    args: CommandArgs,
    proceed: () => Promise<unknown>,
    signal?: AbortSignal,
  ): Command => ({
    name: nameOf(args),
    args: args.slice(1),
    client,
    endpoint: endpointOf(undefined, client.options?.socket ?? {}),
    on: { isGone: () => !client.isOpen },
    signal,
    proceed,
  })
  const chooses = (args: CommandArgs): boolean => seam.chooses(nameOf(args), args.slice(1))

  context.patch(
    holder,
    'sendCommand',
    (below) =>
      function sendCommand(this: Connection, args: CommandArgs, options?: CommandOptions): unknown {
        const proceed = (): Promise<unknown> => below.call.call(this, args, options) as Promise<unknown>
        if (!chooses(args)) return proceed()
        const signal = options?.abortSignal ?? this._commandOptions?.abortSignal
        return seam.answer(commandOf(this, args, proceed, signal)).catch((error: unknown) => {
          throw signal?.aborted === true && error === signal.reason
            ? new (loadedClass('@redis/client/dist/lib/errors.js', 'AbortError', AbortError))()
            : error
        })
      },
  )

  context.patch(
    holder,
    '_executePipeline',
    (below) =>
      function executePipeline(this: Connection, commands: readonly QueuedCommand[], ...rest: unknown[]): unknown {
        const chosen = commands.map(({ args }) => chooses(args))
        if (!chosen.includes(true)) return below.call.call(this, commands, ...rest)
        // Sends each command as a pipeline of its own. The client still queues them in order, and each gets its own
        // answer.
        const sendAlone = async (command: QueuedCommand): Promise<unknown> =>
          ((await below.call.call(this, [command], ...rest)) as unknown[])[0]
        return Promise.all(
          commands.map((command, index) =>
            chosen[index] === true
              ? seam.answer(commandOf(this, command.args, () => sendAlone(command)))
              : sendAlone(command),
          ),
        )
      },
  )

  context.patch(
    holder,
    '_executeMulti',
    (below) =>
      function executeMulti(this: Connection, commands: readonly QueuedCommand[], ...rest: unknown[]): unknown {
        const proceed = (): Promise<unknown> => below.call.call(this, commands, ...rest) as Promise<unknown>
        const [first] = commands.filter(({ args }) => chooses(args))
        if (first === undefined) return proceed()
        // One injected acknowledgement answers each command of the transaction.
        return seam
          .answer(commandOf(this, first.args, proceed))
          .then((replies) => (Array.isArray(replies) ? (replies as unknown[]) : commands.map(() => replies)))
      },
  )
}
