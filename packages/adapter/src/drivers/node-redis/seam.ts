import { commandTarget, mismatch, type CommandTarget } from '../../calls/commands.js'
import { isModuleCommand, REDIS_COMMANDS } from '../redis/command-names.js'
import { patchCalls } from './at-call.js'
import { patchQueue } from './at-queue.js'

/** A client of node-redis (package `redis`), version 5 or later. */
export interface NodeRedisClient {
  readonly isReady: boolean
  readonly sendCommand: (...args: never) => unknown
}

/** The class of node-redis clients: `RedisClient`. */
type NodeRedisClass = abstract new (...args: never) => NodeRedisClient

/**
 * Binds a node-redis client as a target of call faults. The class `RedisClient` binds all clients, including those of
 * pools, clusters and sentinels. An operation is a command; its name is the Redis command in capitals: `GET`. Each
 * command of `execAsPipeline` is an operation. A transaction (`multi`) is affected as a whole. Commands of the client's
 * own handshake, subscriptions and `QUIT` are not affected.
 *
 * Faults act where a client writes its commands: beneath its queue of commands that wait for a connection, `timeout`,
 * `abortSignal`, `commandsQueueMaxLength` and instrumentations. So a command is affected, and counted, when it is due to be
 * written; `timeout` and `abortSignal` end it before that only, as without a fault. When the client loses its connection
 * (`socketTimeout`), a held command fails as one that was sent.
 *
 * The queue of a version before 5.9 is out of reach if the application is bundled, and that of a bundled class always.
 * Faults then act where commands are called, and `abortSignal` ends an injected wait at once.
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
    patch(context, seam) {
      if (!patchQueue(holder, context, seam)) patchCalls(holder, context, seam)
    },
  })
}
