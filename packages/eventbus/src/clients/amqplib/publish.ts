import { copiedBytes } from '@chaos/core/authoring'
import type { SeamBinding } from '../../seams/bus.js'
import { BAGGAGE } from '../../seams/message-scope.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { Confirms } from './confirms.js'
import { isClosed, type AmqplibChannel } from './delivery.js'

/** The method fields of a message. amqplib makes them for each `publish`. */
interface Fields {
  readonly exchange: string
  readonly routingKey: string
}

/** The properties of a message, as amqplib encodes them. */
interface Properties {
  readonly headers?: Readonly<Record<string, unknown>> | undefined
}

type PublishArgs = readonly [
  exchange: string,
  routingKey: string,
  content: unknown,
  properties: Properties,
  fields: Fields,
]

/**
 * Binds what a channel sends, beneath `publish` and `sendToQueue`, and so beneath the confirmations of the channel and the
 * instrumentation of `publish`.
 */
export function publishSeam(channel: AmqplibChannel): SeamBinding {
  return (tap, steps) => {
    const confirms = Confirms.of(channel)
    confirms.watch(steps)
    const seam = methodSeam<PublishArgs>({
      object: channel,
      method: 'sendMessage',
      name: ([exchange, routingKey]) => (routingKey === '' ? exchange : routingKey),
      read(args) {
        const [exchange, routingKey, content, properties, fields] = args
        return {
          payload: content,
          withPayload: (payload) => replaced(args, 2, payload),
          withBaggage: (write) => {
            const { headers } = properties
            return replaced(args, 3, { ...properties, headers: { ...headers, [BAGGAGE]: write(headers?.[BAGGAGE]) } })
          },
          answer: () => true,
          snapshot: () => replaced(args, 2, copiedBytes(content)),
          isGone: () => isClosed(channel),
          lose: () => confirms.lose(fields),
          loseLate: () => confirms.loseLate(fields),
          copy: () => [exchange, routingKey, content, properties, confirms.copied(fields)],
        }
      },
    })
    seam(tap, {
      ...steps,
      // A message has the arguments of `publish`.
      patch: (object, key, layerOn, options) =>
        steps.patch(
          object,
          key,
          (below) => {
            const tapped = layerOn({
              call(this: unknown, ...[, , content, properties, fields]: PublishArgs): unknown {
                return confirms.send(fields, () => below.call.call(this, fields, properties, content) as unknown)
              },
            })
            return function sendMessage(
              this: unknown,
              fields: Fields,
              properties: Properties,
              content: unknown,
            ): unknown {
              const { exchange, routingKey } = fields
              const args: PublishArgs = [exchange, routingKey, content, properties, fields]
              return confirms.publish(fields, () => tapped.apply(this, [...args]) as unknown)
            }
          },
          options,
        ),
    })
  }
}
