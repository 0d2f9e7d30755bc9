import type { Scope } from '@chaos/core'
import type { Below } from '@chaos/core/authoring'
import type { EventName, Failure, Message, SeamBinding, Subscriber } from '../seams/bus.js'
import { failInProcess } from '../seams/fail-in-process.js'

/** One end of a message channel, while a fault is in force. */
export interface End {
  readonly object: object
  /** The name of the messages. */
  readonly name: EventName
  /** Separates the message order of this end from that of other ends. */
  readonly subscriber: Subscriber
  /** Whether the end is closed. Held messages are then lost. */
  readonly isGone: () => boolean
}

/** Calls the method below the fault. The first argument is the message. */
export type Call = (args: readonly unknown[]) => unknown

/**
 * A message at one end of a channel. The first argument is its content; handles or transferred objects follow.
 *
 * A held, changed or dropped message leaves its sender as a posted one does: cloned, with transferred objects detached.
 */
export abstract class ChannelMessage implements Message {
  readonly name: EventName
  readonly subscriber: Subscriber
  readonly args: readonly unknown[]
  /** The scope that its sender has put into its envelope. */
  scope: Scope | undefined
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
  /** Whether the message transfers something that cannot exist twice. */
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

/** Binds one direction of an end. @param read Returns `undefined` for a call that is not a message and passes. */
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

/** A copy of a value; the value itself if it cannot be cloned. */
function clonedOrSame(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return value
  }
}
