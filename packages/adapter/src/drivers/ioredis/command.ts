/** A command as ioredis represents it. */
export interface RedisCommand {
  readonly name: string
  readonly args: readonly unknown[]
  readonly promise: Promise<unknown>
  readonly inTransaction?: boolean
  callback: unknown
  readonly initPromise: () => void
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly setTimeout: (ms: number) => void
  readonly toWritable: (socket: unknown) => string | Buffer
  transformReply: (reply: unknown) => unknown
}

/** What a client queues for a command. */
interface Queued {
  readonly command: RedisCommand
  readonly stream: PipelineStream | undefined
  readonly select: number
}

/** A queue of a client: of commands that wait for their replies, or for a connection. */
interface CommandQueue {
  readonly peekBack: () => Queued | undefined
  readonly pop: () => Queued | undefined
  readonly push: (item: Queued) => unknown
}

/** The internals of a client that its methods use. */
export interface RedisConnection {
  readonly status: string
  readonly stream?: { readonly writable: boolean; readonly write: (data: string | Buffer) => unknown } | null
  readonly condition?: { readonly select: number } | null
  readonly commandQueue: CommandQueue
  readonly offlineQueue: CommandQueue
  readonly options: {
    readonly host?: string
    readonly port?: number
    readonly commandTimeout?: number | undefined
    readonly enableOfflineQueue?: boolean
  }
}

/** The stream that collects the commands of a pipeline until all are there. */
export interface PipelineStream {
  readonly isPipeline?: boolean
  readonly write: (data: string | Buffer) => unknown
}

/** Takes what a client writes, and writes nothing: for a command that a fault takes from its client. */
export const SILENT: PipelineStream = { write: () => undefined }

const copies = new WeakSet<RedisCommand>()

/** A pipeline that holds nothing back. Faults beneath know by it that the commands of a transaction come together. */
export class StraightPipeline implements PipelineStream {
  readonly isPipeline = true
  readonly #client: RedisConnection

  constructor(client: RedisConnection) {
    this.#client = client
  }

  write(data: string | Buffer): void {
    this.#client.stream?.write(data)
  }
}

/** Whether a command is the copy that a fault sends. The client has done everything with the original but send it. */
export function isCopy(command: RedisCommand): boolean {
  return copies.has(command)
}

/** Copies a command, with a new promise, as ioredis does when it retries a pipeline of a cluster. */
export function copyOf(command: RedisCommand): RedisCommand {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(command) as object) as RedisCommand, command, {
    callback: undefined,
    isResolved: false,
    _commandTimeoutTimer: undefined,
    _blockingTimeoutTimer: undefined,
    _blockingDeadline: undefined,
  })
  copies.add(copy)
  copy.initPromise()
  return copy
}

/** Resolves a command on the path that a reply takes. */
export function resolve(command: RedisCommand, value: unknown): void {
  // The reply is transformed already, by the copy that was sent.
  command.transformReply = () => value
  command.resolve(value)
}

/** Frees the place of a command in a pipeline, which is written once all of its places are used. */
export function leavePlace(stream: PipelineStream): void {
  try {
    stream.write('')
  } catch {
    // No command of the pipeline is left, and the client has no connection yet.
  }
}
