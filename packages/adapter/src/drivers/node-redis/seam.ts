import type { InjectionContext } from '@chaos/core/authoring'
import { loadedClass } from '../../errors/loaded-module.js'
import {
  commandTarget,
  endpointOf,
  mismatch,
  type Command,
  type CommandSeam,
  type CommandTarget,
} from '../../calls/commands.js'
import { isModuleCommand, REDIS_COMMANDS } from '../redis/command-names.js'

/** A client of node-redis (package `redis`), version 5 or later. */
export interface NodeRedisClient {
  readonly isReady: boolean
  readonly sendCommand: (...args: never) => unknown
}

/** The class of node-redis clients: `RedisClient`. */
type NodeRedisClass = abstract new (...args: never) => NodeRedisClient

/** The internals of a client that its methods use. */
interface Connection {
  readonly isOpen: boolean
  readonly _commandOptions?: CommandOptions
  readonly options?: { readonly socket?: { readonly host?: string; readonly port?: number } }
}

interface CommandOptions {
  readonly abortSignal?: AbortSignal
}

type CommandArgs = readonly [name: string | Buffer, ...args: unknown[]]

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
 * Binds a node-redis client as a target of call faults. The class `RedisClient` binds all clients, including those of
 * pools, clusters and sentinels. An operation is a command; its name is the Redis command in capitals: `GET`. Each
 * command of `execAsPipeline` is an operation. A transaction (`multi`) is affected as a whole. Commands of the client's
 * own handshake, and subscriptions, are not affected.
 *
 * The `abortSignal` of a command ends an injected wait at once, with the `AbortError` of node-redis.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `client` is not a node-redis client or its class.
 */
export function bindNodeRedis(client: NodeRedisClient | NodeRedisClass): CommandTarget {
  const given: unknown = typeof client === 'function' ? client.prototype : client
  // The object that `createClient` returns inherits from the client that does the work.
  const holder: unknown =
    typeof given === 'object' && given !== null && typeof client !== 'function'
      ? (Reflect.get(given, '_self') ?? given)
      : given
  if (
    typeof holder !== 'object' ||
    holder === null ||
    typeof Reflect.get(holder, '_executeMulti') !== 'function' ||
    typeof Reflect.get(holder, 'sendCommand') !== 'function'
  ) {
    throw mismatch('a client of node-redis, or the class RedisClient', client)
  }
  return commandTarget('RedisClient', {
    names: REDIS_COMMANDS,
    isName: isModuleCommand,
    patch: (context, seam) => patchCommands(holder, context, seam),
  })
}

function patchCommands(holder: object, context: InjectionContext, seam: CommandSeam): void {
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

function nameOf([name]: CommandArgs): string {
  return String(name).toUpperCase()
}
