import type { Below, InjectionContext } from '@chaos/core/authoring'
import { commandTarget, endpointOf, mismatch, type CommandSeam, type CommandTarget } from '../../calls/commands.js'
import { copyOf, leavePlace, settle, type PipelineStream, type RedisCommand, type RedisConnection } from './command.js'
import { answerTransaction } from './transaction.js'
import { isModuleCommand, REDIS_COMMANDS } from '../redis/command-names.js'

/** A client of ioredis (`Redis`, `Cluster`), of any version from 5 on. */
export interface IoredisClient {
  readonly status: string
  readonly sendCommand: (...args: never) => unknown
}

/** The class of such clients. */
type IoredisClass = abstract new (...args: never) => IoredisClient

/** What a client says of itself while it connects. */
const HANDSHAKE = new Set(['auth', 'client', 'hello', 'info', 'readonly', 'select'])

/**
 * The commands of an ioredis client, or with a class of all its clients: what faults of calls break. An operation is a command; its name is that of
 * Redis, in capitals: `GET`. Commands of pipelines are operations of their own. A transaction (`multi`) stands and falls as one: a fault that affects one
 * of its commands acts on all of it. What a client says of itself while it connects is left alone.
 *
 * With `Cluster`, commands are broken before they are given to a node; with the class `Redis`, on the nodes, so that a cluster follows a `redis/moved`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when `client` is no such client or class
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
    lay: (context, seam) => layOver(holder, context, seam),
  })
}

function layOver(holder: object, context: InjectionContext, seam: CommandSeam): void {
  // A command comes here again when it was queued while the client was not connected.
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
          // All of a pipeline comes at once, so nothing can come in between.
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

/** A place in a pipeline, which is written when all of its commands have been. */
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
      // Whatever else is sent comes behind the pipeline: replies are told apart by their order.
      if (stream !== undefined) await Promise.resolve()
      return write()
    },
    leave() {
      if (isFree && stream !== undefined) leavePlace(stream)
      isFree = false
    },
  }
}
