import type { AnyFunction } from '@chaos/core/authoring'
import type { SeamBinding, Steps, Tap } from '../../seams/bus.js'
import { methodSeam } from '../../seams/method-seam.js'
import { consumersOf, withEachClass, type JetStreamOutlet } from './classes.js'
import { copyOf, isJsMessage, subscriberOf, withData, type JsMessage } from './messages.js'

/** What of an iterator is held back: messages, and the steps that it takes when they have gone on. */
interface Line {
  messages: number
  steps: unknown[]
}

/** Binds where iterators of JetStream get their messages, beneath their accounts of what they have asked the server for. */
export function jetStreamDelivery(outlet: JetStreamOutlet): SeamBinding {
  const consumers = consumersOf(outlet)
  return (tap, steps) => withEachClass(outlet, steps, (prototype) => bindPush(prototype, consumers, tap, steps))
}

function bindPush(prototype: object, consumers: ReadonlySet<unknown>, tap: Tap, steps: Steps): void {
  const lines = new WeakMap<object, Line>()
  const isOurs = (iterator: unknown): iterator is object => consumers.has(Reflect.get(iterator as object, 'consumer'))
  const lineOf = (iterator: object): Line => {
    const line = lines.get(iterator) ?? { messages: 0, steps: [] }
    lines.set(iterator, line)
    return line
  }
  let bottom: { readonly call: AnyFunction } | undefined
  /** A message has left the line. Steps that wait behind it are taken with the last one: to end, or to ask for more. */
  const leave = (self: unknown): void => {
    const line = lineOf(self as object)
    line.messages -= 1
    while (line.messages === 0 && line.steps.length > 0) bottom?.call.call(self, line.steps.shift())
  }

  steps.patch(prototype, '_push', (below) => {
    bottom = below
    return function (this: unknown, item: unknown): void {
      below.call.call(this, item)
      if (isOurs(this) && isJsMessage(item)) leave(this)
    }
  })
  const messageAt = (args: readonly unknown[]): JsMessage => args[0] as JsMessage
  const refuse = (args: readonly unknown[], self: unknown): void => {
    messageAt(args).nak()
    leave(self)
  }
  const seam = methodSeam({
    object: prototype,
    method: '_push',
    name: ([item], self) => (isOurs(self) && isJsMessage(item) ? item.subject : undefined),
    payload: {
      read: (args) => messageAt(args).data,
      replace: (args, data) => [withData(messageAt(args), data as Uint8Array)],
    },
    subscriber: (args) => subscriberOf(messageAt(args)),
    isRedelivered: (args) => messageAt(args).redelivered,
    refuse,
    // An iterator that is closed hands out nothing any more, and its messages are the server's again.
    isGone: (_args, self) => Reflect.get(self as object, 'done') === true,
    loseLate: (_args, self) => leave(self),
    fail: (_error, _how, args, self) => refuse(args, self),
    lose: (args, self) => {
      messageAt(args).ack()
      leave(self)
    },
    copy: (args, self) => {
      lineOf(self as object).messages += 1
      return [copyOf(messageAt(args))]
    },
  })
  seam(tap, steps)
  steps.patch(
    prototype,
    '_push',
    (below) =>
      function (this: unknown, item: unknown): void {
        if (isOurs(this)) {
          const line = lineOf(this)
          if (isJsMessage(item)) {
            line.messages += 1
          } else if (line.messages > 0) {
            line.steps.push(item)
            return
          }
        }
        below.call.call(this, item)
      },
  )
}
