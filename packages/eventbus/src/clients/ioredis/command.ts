import type { Below } from '@chaos/core/authoring'

/** A command as ioredis represents it. */
export interface Command {
  readonly name: string
  readonly args: readonly unknown[]
  readonly promise: Promise<unknown>
  initPromise(): void
  resolve(value: unknown): void
  reject(error: unknown): void
  toWritable(socket: unknown): string | Buffer
}

/** What ioredis queues for a command. */
interface Queued {
  readonly command: Command
  readonly stream: unknown
  readonly select: number
}
interface Queue {
  peekBack(): Queued | undefined
  pop(): Queued | undefined
  push(item: Queued): unknown
}

/** The private part of a client that sends commands. */
export interface CommandClient {
  readonly status: string
  readonly stream?: { readonly writable: boolean; write(data: string | Buffer): unknown }
  readonly options: { readonly enableOfflineQueue?: boolean; readonly enableAutoPipelining?: boolean }
  readonly commandQueue: Queue
  readonly offlineQueue: Queue
}

/** A command that its client has taken, with its timeout running, and has not sent. */
export interface Taken {
  readonly command: Command
  /** Sends the command, or what is left of it: the same command with other arguments. */
  send(args: readonly unknown[]): void
  /** The same command again, for a caller that nobody sees. */
  copy(): Taken
}

/** Takes what a client writes, and writes nothing. */
const SILENT = { write: () => true }

/** The commands that have passed the seam. A command that was queued while the client was not connected passes it twice. */
const passed = new WeakSet<Command>()

/** Whether a command has passed the seam before. */
export const hasPassed = (command: Command): boolean => passed.has(command)

/**
 * Lets a client do everything with a command but send it: ioredis and its instrumentation start their timers and spans, and
 * the command leaves the queue of those that wait for a reply.
 *
 * @returns `undefined` if the client has rejected the command.
 */
export function take(client: CommandClient, below: Below, command: Command): Taken | undefined {
  passed.add(command)
  below.call.call(client, command, SILENT)
  for (const queue of [client.commandQueue, client.offlineQueue]) {
    if (queue.peekBack()?.command === command) return takenOf(client, command, queue.pop()?.select ?? 0)
  }
  return undefined
}

function takenOf(client: CommandClient, command: Command, select: number): Taken {
  return {
    command,
    send(args) {
      if (args.every((arg, index) => arg === command.args[index])) {
        write(client, command, select)
        return
      }
      const changed = cloneOf(command, args)
      changed.promise.then(
        (value) => command.resolve(value),
        (error: unknown) => command.reject(error),
      )
      write(client, changed, select)
    },
    copy() {
      const copy = cloneOf(command, command.args)
      copy.promise.catch(() => undefined)
      return takenOf(client, copy, select)
    },
  }
}

/** Sends a command as ioredis does, in its present state. */
function write(client: CommandClient, command: Command, select: number): void {
  passed.add(command)
  const { status, stream, commandQueue, offlineQueue, options } = client
  const queued: Queued = { command, stream: undefined, select }
  if (status === 'end') {
    command.reject(closed())
  } else if (status === 'ready' && stream?.writable === true) {
    stream.write(command.toWritable(stream))
    commandQueue.push(queued)
  } else if (options.enableOfflineQueue === false) {
    command.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"))
  } else {
    offlineQueue.push(queued)
  }
}

/** The error of ioredis for a command of a closed client. */
export const closed = (): Error => new Error('Connection is closed.')

/** The same command with a promise, arguments and timers of its own. */
function cloneOf(command: Command, args: readonly unknown[]): Command {
  const clone = Object.assign(Object.create(Object.getPrototypeOf(command) as object) as Command, command, {
    args: [...args],
    callback: undefined,
    isResolved: false,
    _commandTimeoutTimer: undefined,
  })
  clone.initPromise()
  return clone
}
