import { createRequire } from 'node:module'
import { dirname, join, sep } from 'node:path'

/** The name of a command and its arguments, as node-redis sends them. */
export type CommandArgs = readonly [name: string | Buffer, ...args: unknown[]]

/** The options of a command that its client reads when it queues the command. */
export interface CommandOptions {
  readonly abortSignal?: AbortSignal | undefined
  readonly timeout?: number | undefined
  readonly chainId?: unknown
}

/** The members of a client of node-redis that lead to its queue. */
export interface RedisClient {
  readonly isOpen: boolean
  readonly isReady: boolean
  readonly options?: {
    readonly commandsQueueMaxLength?: number
    readonly socket?: { readonly host?: string; readonly port?: number }
  }
  /** The client that does the work, for an object that inherits from it. */
  readonly _self?: RedisClient
  readonly _getQueue?: () => CommandQueue
  readonly _executePipeline: (commands: readonly unknown[]) => Promise<unknown>
  readonly extendPubSubListeners: (type: unknown, listeners?: unknown) => Promise<unknown>
}

/** The queue of a client: commands to write, and commands that wait for their replies. */
export interface CommandQueue {
  readonly addCommand: (args: CommandArgs, options?: CommandOptions) => Promise<unknown>
  readonly isEmpty: () => boolean
  /** The number of all commands in the queue. Version 5.12 and later. */
  readonly pendingCount?: number
}

const METHODS = ['addCommand', 'flushAll', 'flushWaitingForReply', 'isEmpty', 'extendPubSubListeners'] as const

/** The path of the queue's module, in every version that has one. */
const QUEUE_FILE = join(sep, 'client', 'commands-queue.js')

/** Where the queue of a client, or of each client of a class, can be patched. */
export interface QueuePlace {
  /** The queue itself, or the prototype of all queues. */
  readonly queue: object
  /** The errors of the client's copy of node-redis. */
  readonly errors: Readonly<Record<string, unknown>>
}

/**
 * Finds the queue of a client of node-redis, which is a private field. Clients of version 5.9 and later give it to their
 * own package; earlier ones share the class of a module, if the client is not bundled into the application.
 *
 * @param holder The client that does the work, or the prototype of a class of clients.
 * @returns `undefined` if the queue cannot be reached.
 */
export function queueOf(holder: object): QueuePlace | undefined {
  const folder = folderOf(holder)
  const queue = ownQueue(holder) ?? classOf(loaded(folder, 'client', 'commands-queue.js'))?.prototype
  if (queue === undefined) return undefined
  if (!METHODS.every((method) => typeof Reflect.get(queue, method) === 'function')) return undefined
  if (typeof Reflect.get(holder, 'extendPubSubListeners') !== 'function') return undefined
  return { queue, errors: loaded(folder, 'errors.js') ?? {} }
}

/** The queue that a client gives away. A prototype has none. */
function ownQueue(holder: object): object | undefined {
  if (!Object.hasOwn(holder, '_self')) return undefined
  return (holder as RedisClient)._getQueue?.()
}

/** The folder of the copy of node-redis that a client, or the prototype of a class, comes from. */
function folderOf(holder: object): string | undefined {
  const { cache } = createRequire(import.meta.url)
  for (const path in cache) {
    if (!path.endsWith(QUEUE_FILE)) continue
    const folder = dirname(dirname(path))
    const { prototype } = classOf(cache[join(folder, 'client', 'index.js')]?.exports) ?? {}
    if (prototype === holder || (prototype !== undefined && Object.prototype.isPrototypeOf.call(prototype, holder)))
      return folder
  }
  return undefined
}

function loaded(folder: string | undefined, ...file: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  if (folder === undefined) return undefined
  const exported: unknown = createRequire(import.meta.url).cache[join(folder, ...file)]?.exports
  return typeof exported === 'object' && exported !== null ? (exported as Record<string, unknown>) : undefined
}

/** The class that a module exports by default. */
function classOf(exported: unknown): { readonly prototype: object } | undefined {
  const value: unknown =
    typeof exported === 'object' && exported !== null ? Reflect.get(exported, 'default') : undefined
  return isClass(value) ? value : undefined
}

const isClass = (value: unknown): value is { readonly prototype: object } =>
  typeof value === 'function' && typeof value.prototype === 'object' && value.prototype !== null
