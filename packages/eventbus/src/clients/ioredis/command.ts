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

/** The stream that collects the commands of a pipeline until all are there. */
export interface PipelineStream {
  readonly isPipeline?: boolean
  write(data: string | Buffer): unknown
}

/** The private part of a client that sends commands. */
export interface CommandClient {
  readonly status: string
  readonly stream?: { readonly writable: boolean; write(data: string | Buffer): unknown }
  readonly options: { readonly enableOfflineQueue?: boolean }
  readonly commandQueue: Queue
  readonly offlineQueue: Queue
}

/** A command that its client has taken, with its timeout running, and has not sent. */
export interface Taken {
  readonly client: CommandClient
  readonly command: Command
  /** Sends the command, or what is left of it: the same command with other arguments. */
  readonly send: (args: readonly unknown[]) => void
  /** The same command again, for a caller that nobody sees. */
  readonly copy: () => Taken
  /** Sends another command, beneath the automatic pipelines of the client, which wait for this one. */
  readonly ask: (name: string, ...args: readonly unknown[]) => Promise<unknown>
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
 * @param pipeline The pipeline that has a place for the command.
 * @param decide Decides what becomes of the command. If it sends the command at once, the command takes its place.
 */
export function take(
  client: CommandClient,
  below: Below,
  command: Command,
  pipeline: PipelineStream | undefined,
  decide: (taken: Taken) => void,
): void {
  passed.add(command)
  below.call.call(client, command, SILENT)
  const place = new Place(pipeline)
  try {
    for (const queue of [client.commandQueue, client.offlineQueue]) {
      if (queue.peekBack()?.command !== command) continue
      decide(takenOf(client, command, queue.pop()?.select ?? 0, place))
      return
    }
  } finally {
    place.leave()
  }
}

function takenOf(client: CommandClient, command: Command, select: number, place: Place): Taken {
  return {
    client,
    command,
    send(args) {
      if (args.length === command.args.length && args.every((arg, index) => arg === command.args[index])) {
        place.write((through) => write(client, command, select, through))
        return
      }
      const changed = cloneOf(command, args)
      changed.promise.then(
        (value) => command.resolve(value),
        (error: unknown) => command.reject(error),
      )
      place.write((through) => write(client, changed, select, through))
    },
    copy() {
      const copy = cloneOf(command, command.args)
      copy.promise.catch(() => undefined)
      return takenOf(client, copy, select, place)
    },
    ask(name, ...args) {
      const other = Object.assign(cloneOf(command, args), { name })
      place.write((through) => write(client, other, select, through))
      return other.promise
    },
  }
}

/** The place of a command in a pipeline, which is written once all of its places are used. */
class Place {
  readonly #pipeline: PipelineStream | undefined
  #isFree: boolean

  constructor(pipeline: PipelineStream | undefined) {
    this.#pipeline = pipeline
    this.#isFree = pipeline !== undefined
  }

  /** Writes a command into the place if it is free, else behind the pipeline, since replies are matched by order. */
  write(send: (through?: PipelineStream) => void): void {
    if (this.#isFree) {
      this.#isFree = false
      send(this.#pipeline)
    } else if (this.#pipeline === undefined) {
      send()
    } else {
      queueMicrotask(send)
    }
  }

  /** Frees the place, so that the pipeline need not wait for it. */
  leave(): void {
    if (!this.#isFree) return
    this.#isFree = false
    try {
      this.#pipeline?.write('')
    } catch {
      // No command of the pipeline is left, and the client has no connection yet.
    }
  }
}

/** Sends a command as ioredis does, in its present state. */
function write(client: CommandClient, command: Command, select: number, through?: PipelineStream): void {
  passed.add(command)
  const { status, stream, commandQueue, offlineQueue, options } = client
  const queued: Queued = { command, stream: through, select }
  if (status === 'end') {
    command.reject(closed())
  } else if (status === 'ready' && stream?.writable === true) {
    const place = through ?? stream
    place.write(command.toWritable(stream))
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
