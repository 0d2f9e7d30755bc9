import type { Below } from '@chaos/core/authoring'
import type { SeamBinding, Steps, Tap } from '../../seams/bus.js'
import { BAGGAGE } from '../../seams/message-scope.js'
import { methodSeam } from '../../seams/method-seam.js'
import { consumersOf, withEachClass, type JetStreamOutlet } from './classes.js'
import { copyOf, isConnectionClosed, isJsMessage, subscriberOf, withData, type MessagesIterator } from './messages.js'

/** The held messages of an iterator, and the steps that wait behind them. */
interface Line {
  messages: number
  steps: unknown[]
}

/** Binds the method by which JetStream iterators get their messages, below their accounting of requested messages. */
export function jetStreamDelivery(outlet: JetStreamOutlet): SeamBinding {
  const consumers = consumersOf(outlet)
  return (tap, steps) => withEachClass(outlet, steps, (prototype) => bindPush(prototype, consumers, tap, steps))
}

function bindPush(prototype: object, consumers: ReadonlySet<unknown>, tap: Tap, steps: Steps): void {
  const lines = new WeakMap<MessagesIterator, Line>()
  const isOurs = ({ consumer }: MessagesIterator): boolean => consumers.has(consumer)
  const lineOf = (iterator: MessagesIterator): Line => {
    const line = lines.get(iterator) ?? { messages: 0, steps: [] }
    lines.set(iterator, line)
    return line
  }
  let bottom: Below | undefined
  /**
   * A message leaves the line. The last one releases the waiting steps, which end the iterator or request more
   * messages.
   */
  const leave = (iterator: MessagesIterator): void => {
    const line = lineOf(iterator)
    line.messages -= 1
    while (line.messages === 0 && line.steps.length > 0) bottom?.call.call(iterator, line.steps.shift())
  }

  steps.patch(prototype, '_push', (below) => {
    bottom = below
    return function (this: MessagesIterator, item: unknown): void {
      below.call.call(this, item)
      if (isOurs(this) && isJsMessage(item)) leave(this)
    }
  })
  const seam = methodSeam<readonly [item: unknown], MessagesIterator>({
    object: prototype,
    method: '_push',
    name: ([item], iterator) => (isOurs(iterator) && isJsMessage(item) ? item.subject : undefined),
    read([item], iterator) {
      if (!isJsMessage(item)) return undefined
      const refuse = (): void => {
        item.nak()
        leave(iterator)
      }
      return {
        get payload() {
          return item.data
        },
        baggage: () => item.headers?.values(BAGGAGE),
        withPayload: (data) => [withData(item, data as Uint8Array)],
        subscriber: subscriberOf(item),
        get isRedelivered() {
          return item.redelivered
        },
        refuse,
        fail: refuse,
        // A closed iterator or connection delivers nothing, and the server redelivers its messages.
        isGone: () => iterator.done || isConnectionClosed(item),
        loseLate: () => leave(iterator),
        lose() {
          item.ack()
          leave(iterator)
        },
        copy() {
          lineOf(iterator).messages += 1
          return [copyOf(item)]
        },
      }
    },
  })
  seam(tap, steps)
  steps.patch(
    prototype,
    '_push',
    (below) =>
      function (this: MessagesIterator, item: unknown): void {
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
