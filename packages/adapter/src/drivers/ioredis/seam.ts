import { isExempt, type Below, type InjectionContext } from '@chaos/core/authoring'
import { commandTarget, endpointOf, mismatch, type CommandSeam, type CommandTarget } from '../../calls/commands.js'
import {
  isCopy,
  leavePlace,
  resolve,
  SILENT,
  type PipelineStream,
  type RedisCommand,
  type RedisConnection,
} from './command.js'
import { eachNode } from './nodes.js'
import { clientSending, write, type Sending } from './sending.js'
import { answerTransaction } from './transaction.js'
import { isModuleCommand, REDIS_COMMANDS } from '../redis/command-names.js'

/** A client of ioredis (`Redis`, `Cluster`), version 5 or later. */
export interface IoredisClient {
  readonly status: string
  readonly sendCommand: (...args: never) => unknown
}

/** The class of ioredis clients. */
type IoredisClass = abstract new (...args: never) => IoredisClient

/**
 * Binds an ioredis client, or the class of all clients, as a target of call faults. An operation is a command; its name
 * is the Redis command in capitals: `GET`. Each command of a pipeline is an operation. A transaction (`multi`) is
 * affected as a whole: a fault that affects one of its commands affects all of them.
 *
 * Faults act where a client writes its commands: beneath `commandTimeout`, `maxRetriesPerRequest`, the queue of commands
 * that wait for a connection, and instrumentations. So a command is affected, and counted, when it is due to be sent.
 * Commands that a client sends before it is ready, such as its own handshake, are not affected. If the client is
 * disconnected, a held command fails as it does while a server is mute.
 *
 * A bound `Cluster`, or its class, affects commands at the clients of its nodes. So it follows a `redis/moved` error, and
 * tries again after `redis/clusterdown`. Each attempt is an operation.
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
  const isCluster = typeof Reflect.get(holder, 'nodes') === 'function'
  return commandTarget(isCluster ? 'Cluster' : 'Redis', {
    names: REDIS_COMMANDS,
    isName: isModuleCommand,
    patch(context, seam) {
      const patchNode = commandsPatch(context, seam)
      if (isCluster) eachNode(holder, context, patchNode)
      else patchNode(holder)
    },
  })
}

/** Returns a function that affects the commands of a client, or of all clients of a class. */
function commandsPatch(context: InjectionContext, seam: CommandSeam): (holder: object) => void {
  // A command that was queued while the client was not connected passes here twice.
  const passed = new WeakSet<RedisCommand>()
  const transactions = new WeakMap<PipelineStream, RedisCommand[]>()
  return (holder) => patchCommands(holder, context, seam, passed, transactions)
}

/** The layers of all faults over `sendCommand`. What a fault sends passes those beneath it, and nothing else of the client. */
const layers = new WeakSet()

function patchCommands(
  holder: object,
  context: InjectionContext,
  seam: CommandSeam,
  passed: WeakSet<RedisCommand>,
  transactions: WeakMap<PipelineStream, RedisCommand[]>,
): void {
  let sending: Sending | undefined
  context.patch(holder, 'sendCommand', (below: Below) => {
    const send = (
      client: RedisConnection,
      command: RedisCommand,
      stream?: PipelineStream,
      ...rest: unknown[]
    ): unknown =>
      isCopy(command) && !layers.has(below.call)
        ? write(client, command, stream)
        : below.call.call(client, command, stream, ...rest)
    const { isDue, take, sendCopy } = (sending = clientSending(send, passed))
    const layer = function sendCommand(
      this: RedisConnection,
      command: RedisCommand,
      stream?: PipelineStream,
      ...rest: unknown[]
    ): unknown {
      if (passed.has(command) || stream === SILENT || isExempt(this) || !isDue(this))
        return send(this, command, stream, ...rest)
      passed.add(command)

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
        if (isComplete && !answerTransaction(this, commands, stream, seam, { take, sendCopy }))
          for (const one of commands) send(this, one, stream, ...rest)
        return command.promise
      }

      const name = command.name.toUpperCase()
      if (!seam.chooses(name, command.args)) return send(this, command, stream, ...rest)
      const place = placeIn(stream)
      const taken = take(this, command)
      if (taken !== undefined) {
        const proceed = (): Promise<unknown> => place.send((through) => sendCopy(this, command, through))
        seam
          .answer({
            name,
            args: command.args,
            client: this,
            endpoint: endpointOf(this.stream, this.options),
            on: taken.on,
            proceed,
          })
          .then(
            (value) => {
              if (taken.end()) resolve(command, value)
            },
            (error: unknown) => {
              if (!taken.end()) return
              // A cluster may send the command again, which is another attempt.
              passed.delete(command)
              command.reject(error)
            },
          )
      }
      place.leave()
      return command.promise
    }
    layers.add(layer)
    return layer
  })
  context.patch(
    holder,
    'flushQueue',
    (below: Below) =>
      function flushQueue(
        this: RedisConnection,
        error: unknown,
        options?: { readonly commandQueue?: boolean },
      ): unknown {
        const answer: unknown = below.call.call(this, error, options)
        if (options?.commandQueue !== false) sending?.fail(this, error)
        return answer
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
