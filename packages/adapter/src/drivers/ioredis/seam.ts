import type { Below, InjectionContext } from '@chaos/core/authoring'
import { commandTarget, endpointOf, mismatch, type CommandSeam, type CommandTarget } from '../../calls/commands.js'
import { copyOf, leavePlace, settle, type PipelineStream, type RedisCommand, type RedisConnection } from './command.js'
import { answerTransaction } from './transaction.js'
import { isModuleCommand, REDIS_COMMANDS } from '../redis/command-names.js'

/** A client of ioredis (`Redis`, `Cluster`), version 5 or later. */
export interface IoredisClient {
  readonly status: string
  readonly sendCommand: (...args: never) => unknown
}

/** The class of ioredis clients. */
type IoredisClass = abstract new (...args: never) => IoredisClient

/** The commands that a client sends to identify itself while it connects. */
const HANDSHAKE = new Set(['auth', 'client', 'hello', 'info', 'readonly', 'select'])

/**
 * Binds an ioredis client, or the class of all clients, as a target of call faults. An operation is a command; its name
 * is the Redis command in capitals: `GET`. Each command of a pipeline is an operation. A transaction (`multi`) is
 * affected as a whole: a fault that affects one of its commands affects all of them. Commands of the client's own
 * handshake are not affected.
 *
 * A bound `Cluster` affects commands before they are assigned to a node. The bound class `Redis` affects them on the
 * nodes, so that a cluster follows a `redis/moved` error.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `client` is not an ioredis client or its class.
 */
export function bindIoredis(client: IoredisClient | IoredisClass): CommandTarget {
  const holder: unknown = typeof client === 'function' ? client.prototype : client
  if (
    typeof holder !== 'object' ||
    holder === null ||
    typeof Reflect.get(holder, 'sendCommand') !== 'function' ||
    typeof Reflect.get(holder, 'duplicate') !== 'function'
  ) {
    throw mismatch('a client of ioredis, or its class', client)
  }
  return commandTarget(Reflect.get(holder, 'isCluster') === true ? 'Cluster' : 'Redis', {
    names: REDIS_COMMANDS,
    isName: isModuleCommand,
    patch: (context, seam) => patchCommands(holder, context, seam),
  })
}

function patchCommands(holder: object, context: InjectionContext, seam: CommandSeam): void {
  // A command that was queued while the client was not connected passes here twice.
  const decided = new WeakSet<RedisCommand>()
  const transactions = new WeakMap<PipelineStream, RedisCommand[]>()
  context.patch(
    holder,
    'sendCommand',
    (below: Below) =>
      function sendCommand(
        this: RedisConnection,
        command: RedisCommand,
        stream?: PipelineStream,
        ...rest: unknown[]
      ): unknown {
        const send = (sent: RedisCommand, through?: PipelineStream): unknown =>
          below.call.call(this, sent, through, ...rest)
        const sendCopy = (original: RedisCommand, through?: PipelineStream): Promise<unknown> => {
          const copy = copyOf(original)
          decided.add(copy)
          send(copy, through)
          return copy.promise
        }
        if (decided.has(command) || (this.status === 'connect' && HANDSHAKE.has(command.name)))
          return send(command, stream)
        decided.add(command)

        const begun = stream === undefined ? undefined : transactions.get(stream)
        if (
          stream?.isPipeline === true &&
          (begun !== undefined || (command.inTransaction === true && command.name === 'multi'))
        ) {
          const commands = [...(begun ?? []), command]
          const isComplete = command.name === 'exec' || command.name === 'discard'
          if (isComplete) transactions.delete(stream)
          else transactions.set(stream, commands)
          // The commands of a pipeline come together, without others in between.
          if (isComplete && !answerTransaction(this, commands, stream, seam, sendCopy))
            for (const one of commands) send(one, stream)
          return command.promise
        }

        const name = command.name.toUpperCase()
        if (!seam.chooses(name, command.args)) return send(command, stream)
        const place = placeIn(stream)
        const proceed = (): Promise<unknown> => place.send((through) => sendCopy(command, through))
        if (typeof this.options.commandTimeout === 'number') command.setTimeout(this.options.commandTimeout)
        settle(
          command,
          seam.answer({
            name,
            args: command.args,
            client: this,
            endpoint: endpointOf(this.stream, this.options),
            proceed,
          }),
        )
        place.leave()
        return command.promise
      },
  )
}

/** Holds a place in a pipeline, which is written once all of its places are used. */
function placeIn(stream: PipelineStream | undefined): {
  readonly send: (write: (through?: PipelineStream) => Promise<unknown>) => Promise<unknown>
  readonly leave: () => void
} {
  let isFree = stream !== undefined
  return {
    async send(write) {
      if (isFree) {
        isFree = false
        return write(stream)
      }
      // Other commands must go behind the pipeline, since replies are matched by order.
      if (stream !== undefined) await Promise.resolve()
      return write()
    },
    leave() {
      if (isFree && stream !== undefined) leavePlace(stream)
      isFree = false
    },
  }
}
