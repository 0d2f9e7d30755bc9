import type { Message, SeamBinding } from '../seams/bus.js'
import type { CallableEmitter } from '../seams/emitter-listeners.js'
import { ChannelMessage, passageSeam, type End } from './channel-message.js'
import { opened } from './envelope.js'
import { isPosting, type PostingEnd } from './port.js'

/** The members of a `Worker` that faults use. */
export interface WorkerLike extends PostingEnd {
  /** -1 after the worker has exited. */
  readonly threadId: number
}

export function isWorker(value: unknown): value is WorkerLike {
  return isPosting(value) && 'threadId' in value && typeof value.threadId === 'number' && 'emit' in value
}

/** The `Worker` inside a tinypool thread; any other value unchanged. */
export function unwrapped(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'thread' in value && isWorker(value.thread)
    ? value.thread
    : value
}

/** The delivery of a worker or process. `exit`, `error`, `online` and all other events pass unchanged. */
export function messageEventSeam(end: End): SeamBinding {
  return passageSeam(end, 'emit', ([event, value, ...more], self, below) => {
    if (event !== 'message') return undefined
    const { message, scope } = opened(value)
    const call = (given: readonly unknown[]): unknown => below.call.apply(self, ['message', ...given]) as unknown
    const emitted = new EmittedMessage(end, call, [message, ...more], {
      emitter: self as CallableEmitter,
      failCloning: (error) => below.call.apply(self, ['messageerror', error]) as unknown,
    })
    emitted.scope = scope
    return emitted
  })
}

interface Emitting {
  readonly emitter: CallableEmitter
  readonly failCloning: (error: Error) => unknown
}

/** An emitted message: `(message)`, or `(message, handle)` of a process. */
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
