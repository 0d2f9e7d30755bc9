import { types } from 'node:util'
import type { FailingCall } from './failing-call.js'
import { loadedClass, loadedModule } from './loaded-module.js'
import { slotOf } from './redis-slot.js'

const MISCONF =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error."

/**
 * Errors of Redis clients: the server's answer as a `ReplyError` with its `command` (ioredis) or as a `SimpleError`
 * (node-redis, recognized by `isReady`), or ioredis' own error if no answer comes. Texts come from Redis 7.0.15.
 */
export const redisErrors = {
  'redis/readonly': reply("READONLY You can't write against a read only replica."),
  'redis/loading': reply('LOADING Redis is loading the dataset in memory'),
  'redis/oom': reply("OOM command not allowed when used memory > 'maxmemory'."),
  'redis/misconf': reply(MISCONF),
  'redis/busy': reply('BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'),
  'redis/masterdown': reply("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
  'redis/noauth': reply('NOAUTH Authentication required.'),
  'redis/clusterdown': reply('CLUSTERDOWN Hash slot not served'),
  'redis/moved': (call: FailingCall) => replyError(`MOVED ${slotOf(keyOf(call))} ${call.host}:${call.port}`, call),
  'redis/connection-closed': () => new Error('Connection is closed.'),
  'redis/command-timeout': () => new Error('Command timed out'),
  'redis/max-retries': () => new (maxRetriesClass())(20),
} as const

/** Used if the application has not loaded ioredis. `name` is inherited, as in the original. */
class ReplyError extends Error {
  static {
    inheritName(this)
  }
}

class SimpleError extends Error {}

class MaxRetriesPerRequestError extends Error {
  static {
    inheritName(this)
  }
  constructor(maxRetriesPerRequest: number) {
    super(
      `Reached the max retries per request limit (which is ${maxRetriesPerRequest}). Refer to "maxRetriesPerRequest" option for details.`,
    )
  }
}

function inheritName(Class: new (...args: never[]) => Error): void {
  Object.defineProperty(Class.prototype, 'name', { get: () => Class.name, configurable: true })
}

function reply(message: string) {
  return (call: FailingCall): Error => replyError(message, call)
}

function replyError(message: string, { target, method, args = [] }: FailingCall): Error {
  if (typeof target === 'object' && target !== null && 'isReady' in target)
    return new (loadedClass('@redis/client/dist/lib/errors.js', 'SimpleError', SimpleError))(message)
  const error = new (loadedClass('redis-errors/index.js', 'ReplyError', ReplyError))(message)
  return method === undefined
    ? error
    : Object.assign(error, {
        command: {
          name: method.toLowerCase(),
          args: flat(args)
            .filter((value) => typeof value !== 'function')
            .map(textOf),
        },
      })
}

function maxRetriesClass(): new (maxRetriesPerRequest: number) => Error {
  const index = loadedModule('ioredis/built/errors/index.js')
  return index === undefined
    ? MaxRetriesPerRequestError
    : (index as { MaxRetriesPerRequestError: typeof MaxRetriesPerRequestError }).MaxRetriesPerRequestError
}

function keyOf({ args = [] }: FailingCall): string {
  const [key] = flat(args)
  return typeof key === 'string' || Buffer.isBuffer(key) ? key.toString() : ''
}

/** Flattens arguments. The method may get any values; an unreadable argument must not change the error. */
function flat(args: readonly unknown[]): readonly unknown[] {
  return args.flatMap((value) =>
    types.isProxy(value) ? [textOf(value)] : Array.isArray(value) ? (value as readonly unknown[]) : [value],
  )
}

function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return ''
  }
}
