/** What ioredis makes of a command. */
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

/** A client, as its own methods see it. */
export interface RedisConnection {
  readonly status: string
  readonly stream?: unknown
  readonly options: { readonly host?: string; readonly port?: number; readonly commandTimeout?: number | undefined }
}

/** Where the commands of a pipeline are gathered until all of them have come. */
export interface PipelineStream {
  readonly isPipeline?: boolean
  readonly write: (data: string) => void
}

/** The same command once more, with a promise of its own, as ioredis itself makes one for a cluster's pipeline that is tried again. */
export function copyOf(command: RedisCommand): RedisCommand {
  const copy = Object.assign(Object.create(Object.getPrototypeOf(command) as object) as RedisCommand, command, {
    callback: undefined,
  })
  copy.initPromise()
  return copy
}

/** Gives the caller of a command an answer, or an error, on the path that a reply takes. */
export function settle(command: RedisCommand, answer: Promise<unknown>): void {
  answer.then((value) => {
    // The copy that was sent has made of the reply what its caller expects.
    command.transformReply = () => value
    command.resolve(value)
  }, command.reject)
}

/** Gives up a command's place in a pipeline, which is written when all of its commands have been. */
export function leavePlace(stream: PipelineStream): void {
  try {
    stream.write('')
  } catch {
    // Nothing of the pipeline is left, and there is no connection yet to write nothing to.
  }
}
