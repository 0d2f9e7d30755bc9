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
  transformReply: (reply: unknown) => unknown
}

/** The internals of a client that its methods use. */
export interface RedisConnection {
  readonly status: string
  readonly stream?: unknown
  readonly options: { readonly host?: string; readonly port?: number; readonly commandTimeout?: number | undefined }
}

/** The stream that collects the commands of a pipeline until all are there. */
export interface PipelineStream {
  readonly isPipeline?: boolean
  readonly write: (data: string) => void
}

/** Copies a command, with a new promise, as ioredis does when it retries a pipeline of a cluster. */
export function copyOf(command: RedisCommand): RedisCommand {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(command) as object) as RedisCommand, command, {
    callback: undefined,
  })
  copy.initPromise()
  return copy
}

/** Resolves or rejects a command on the path that a reply takes. */
export function settle(command: RedisCommand, answer: Promise<unknown>): void {
  answer.then((value) => {
    // The reply is transformed already, by the copy that was sent.
    command.transformReply = () => value
    command.resolve(value)
  }, command.reject)
}

/** Frees the place of a command in a pipeline, which is written once all of its places are used. */
export function leavePlace(stream: PipelineStream): void {
  try {
    stream.write('')
  } catch {
    // No command of the pipeline is left, and the client has no connection yet.
  }
}
