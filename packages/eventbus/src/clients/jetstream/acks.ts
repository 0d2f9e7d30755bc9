import { ownersOf } from '@chaos/core/authoring'
import { allSeams, type SeamBinding } from '../../seams/bus.js'
import { methodSeam } from '../../seams/method-seam.js'
import { consumersOf, withEachClass, type JetStreamOutlet } from './classes.js'
import { isConnectionClosed, isJsMessage, subscriberOf, type JsMessage } from './messages.js'

/**
 * Binds the acknowledgements of messages. They are methods of the message class, which is found with the first queued
 * or arriving message.
 */
export function jetStreamAcks(outlet: JetStreamOutlet): SeamBinding {
  const consumers = [...consumersOf(outlet)] as readonly { readonly stream: string; readonly name: string }[]
  const isOurs = ({ info }: JsMessage): boolean =>
    consumers.some(({ stream, name }) => stream === info.stream && name === info.consumer)
  return (tap, steps) => {
    let isFound = false
    const find = (item: unknown): void => {
      if (isFound || !isJsMessage(item)) return
      const [prototype] = ownersOf(item, 'ackAck').slice(-1)
      if (prototype === undefined) return
      isFound = true
      allSeams(ackSeam(prototype, 'ack', isOurs), ackSeam(prototype, 'ackAck', isOurs))(tap, steps)
    }
    for (const iterator of outlet.messages) (Reflect.get(iterator, 'yields') as readonly unknown[]).forEach(find)
    withEachClass(outlet, steps, (prototype) => {
      steps.patch(
        prototype,
        '_push',
        (below) =>
          function (this: unknown, item: unknown): void {
            find(item)
            below.call.call(this, item)
          },
      )
    })
  }
}

/** @param method `ack` returns nothing; `ackAck` returns a promise of whether the server has confirmed. */
function ackSeam(object: object, method: 'ack' | 'ackAck', isOurs: (message: JsMessage) => boolean): SeamBinding {
  const isAwaited = method === 'ackAck'
  const answer = (): unknown => (isAwaited ? Promise.resolve(true) : undefined)
  return methodSeam<readonly unknown[], JsMessage>({
    object,
    method,
    isAwaited,
    // The client ignores a second acknowledgement, also without a fault.
    name: (_args, message) => (message.didAck || !isOurs(message) ? undefined : message.subject),
    read: (args, message) => ({
      get payload() {
        return message.data
      },
      withPayload: () => args,
      answer,
      subscriber: subscriberOf(message),
      get isRedelivered() {
        return message.redelivered
      },
      isGone: () => isConnectionClosed(message),
      refuse() {
        message.nak()
        return answer()
      },
    }),
  })
}
