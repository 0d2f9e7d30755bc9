import type { Below } from '@chaos/core/authoring'
import type { EventName, Failure, Message, SeamBinding, Subscriber } from '../seams/bus.js'
import { failInProcess } from '../seams/fail-in-process.js'

/** One end of a channel of messages, while a fault is in force on it. */
export interface End {
  readonly object: object
  /** The name of its messages. */
  readonly name: EventName
  /** Keeps the order of its messages apart from that of other ends. */
  readonly subscriber: Subscriber
  /** Whether it was closed since: what is held then is lost. */
  readonly isGone: () => boolean
}

/** Calls the method beneath the fault, with the message first. */
export type Call = (args: readonly unknown[]) => unknown

/**
 * A message of a channel, at the end where it passes. Its content is its first argument; what came with it follows.
 *
 * Held, changed or lost, it is taken from its sender as posting takes it: cloned, with what moves detached.
 */
export abstract class ChannelMessage implements Message {
  readonly name: EventName
  readonly subscriber: Subscriber
  readonly args: readonly unknown[]
  protected readonly end: End
  protected readonly call: Call

  constructor(end: End, call: Call, args: readonly unknown[]) {
    this.name = end.name
    this.subscriber = end.subscriber
    this.end = end
    this.call = call
    this.args = args
  }

  get payload(): unknown {
    return this.args[0]
  }
  /** Whether it moves something that cannot exist twice. */
  abstract get isUnique(): boolean
  forward(): unknown {
    return this.call(this.args)
  }
  withPayload(payload: unknown): Message {
    return this.with([payload, ...this.args.slice(1)])
  }
  copy(): Message {
    return this.with([clonedOrSame(this.args[0]), ...this.args.slice(1)])
  }
  answer(): unknown {
    return undefined
  }
  isGone(): boolean {
    return this.end.isGone()
  }
  fail(error: Error, how: Failure): unknown {
    return failInProcess(error, how)
  }
  abstract failCloning(error: Error): unknown
  protected abstract with(args: readonly unknown[]): Message
}

/** Binds one direction of an end. @param read `undefined`: not a message, let the call pass. */
export function passageSeam(
  end: End,
  method: PropertyKey,
  read: (args: readonly unknown[], self: object, below: Below) => Message | undefined,
): SeamBinding {
  return (tap, { patch }) => {
    patch(
      end.object,
      method,
      (below) =>
        function (this: object, ...args: readonly unknown[]): unknown {
          const message = read(args, this, below)
          return message === undefined ? (below.call.apply(this, args) as unknown) : tap.take(message)
        },
    )
  }
}

/** A copy of what a listener gets; the very same where it cannot be cloned. */
function clonedOrSame(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return value
  }
}
