import type { Message, SeamBinding } from '../seams/bus.js'
import type { CallableEmitter } from '../seams/emitter-listeners.js'
import { ChannelMessage, passageSeam, type End } from './channel-message.js'
import { isPosting, type PostingEnd } from './port.js'

/** A `Worker`, as far as faults of its messages need it. */
export interface WorkerLike extends PostingEnd {
  /** -1 once it has exited. */
  readonly threadId: number
}

export function isWorker(value: unknown): value is WorkerLike {
  return isPosting(value) && 'threadId' in value && typeof value.threadId === 'number' && 'emit' in value
}

/** The `Worker` in a thread of tinypool, whose own objects wrap it; anything else as it is. */
export function unwrapped(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'thread' in value && isWorker(value.thread)
    ? value.thread
    : value
}

/** Where a worker or a process hands messages to its listeners. `exit`, `error`, `online` and all else pass untouched. */
export function messageEventSeam(end: End): SeamBinding {
  return passageSeam(end, 'emit', ([event, ...args], self, below) =>
    event === 'message'
      ? new EmittedMessage(end, (given) => below.call.apply(self, ['message', ...given]) as unknown, args, {
          emitter: self as CallableEmitter,
          failCloning: (error) => below.call.apply(self, ['messageerror', error]) as unknown,
        })
      : undefined,
  )
}

interface Emitting {
  readonly emitter: CallableEmitter
  readonly failCloning: (error: Error) => unknown
}

/** A message that is emitted: `(message)`, of a process `(message, handle)`. */
class EmittedMessage extends ChannelMessage {
  override readonly isUnique = false
  readonly #emitting: Emitting

  constructor(end: End, call: ChannelMessage['call'], args: readonly unknown[], emitting: Emitting) {
    super(end, call, args)
    this.#emitting = emitting
  }

  override answer(): unknown {
    return (this.#emitting.emitter.listenerCount?.('message') ?? 0) > 0
  }
  override failCloning(error: Error): unknown {
    return this.#emitting.failCloning(error)
  }
  protected override with(args: readonly unknown[]): Message {
    return new EmittedMessage(this.end, this.call, args, this.#emitting)
  }
}
