import type { Below } from '../../patch/below.js'
import type { InjectionContext } from '../../fault/fault.js'
import { Batch, type BatchParts, type CommandTap } from './batch.js'
import { queueOf, type CommandArgs, type CommandOptions, type CommandQueue, type RedisClient } from './client.js'
import { currentCall, during, type CurrentCall } from './current-call.js'
import { plainArgs } from './due-args.js'
import { heldCommands } from './held-commands.js'

/**
 * Passes the commands that applications send through a client of node-redis to `tap`, where the client writes them: beneath
 * the instrumentation of its class, its timeouts, its queue of commands without a connection, and `commandsQueueMaxLength`.
 * Commands of the handshake, subscriptions and `QUIT` pass.
 *
 * A client treats a command that the tap has taken as one that waits for its reply.
 *
 * @param holder The client that does the work (`_self`), or the prototype of a class of clients.
 * @param options.isOnlyAlone Passes the commands of pipelines and transactions. Default `false`.
 * @returns `false` if the queue of the client is out of reach, as in an application that bundles an early version. Nothing is
 *   patched then.
 */
export function tapNodeRedis(
  holder: object,
  steps: Pick<InjectionContext, 'patch' | 'defer'>,
  tap: CommandTap,
  { isOnlyAlone = false }: { readonly isOnlyAlone?: boolean } = {},
): boolean {
  const place = queueOf(holder)
  if (place === undefined) return false
  let isOver = false
  steps.defer(() => void (isOver = true))
  let addBelow: Below | undefined
  const parts: BatchParts = {
    tap,
    place,
    held: heldCommands(place.queue, steps),
    isOver: () => isOver,
    addCommand: (queue, args, options) => addBelow?.call.call(queue, args, options) as Promise<unknown>,
  }
  const concerns = (client: RedisClient): boolean =>
    client === holder || Object.prototype.isPrototypeOf.call(holder, client)

  const callThrough = (method: string, isTransaction: boolean): void =>
    steps.patch(
      holder,
      method,
      (below) =>
        function (this: RedisClient, ...args: readonly unknown[]): unknown {
          const client = this._self ?? this
          const call: CurrentCall = isTransaction ? { client, transactions: new Map() } : { client }
          return during(call, () => below.call.apply(this, args) as unknown)
        },
    )
  callThrough('sendCommand', false)
  if (!isOnlyAlone) {
    callThrough('_executePipeline', false)
    callThrough('_executeMulti', true)
  }

  /** The redirections that were announced, by queue. A server forgets them after one command. */
  const asking = new WeakMap<CommandQueue, unknown>()
  steps.patch(place.queue, 'addCommand', (below) => {
    addBelow = below
    return function addCommand(this: CommandQueue, args: CommandArgs, options?: CommandOptions): unknown {
      const call = currentCall()
      if (call === undefined || !concerns(call.client)) return below.call.call(this, args, options)
      if (parts.held.isFull(this, call.client)) return Promise.reject(new Error('The queue is full'))
      const { transactions, client } = call
      const chainId = options?.chainId
      if (transactions === undefined) {
        if (chainId !== undefined && plainArgs(args)[0] === 'ASKING') {
          asking.set(this, chainId)
          return below.call.call(this, args, options)
        }
        const isAsking = chainId !== undefined && asking.get(this) === chainId
        return new Batch(parts, this, client, false).add(args, options, isAsking)
      }
      const begun = transactions.get(parts) as Batch | undefined
      const batch = begun ?? new Batch(parts, this, client, true)
      transactions.set(parts, batch)
      return batch.add(args, options, false)
    }
  })
  return true
}
