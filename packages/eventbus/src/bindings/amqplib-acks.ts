import type { AnyFunction } from '@chaos/core'
import type { SeamBinding } from '../bus.js'
import { methodSeam } from '../method-seam.js'
import { isCopy } from './amqplib-copies.js'
import { deliveryOf, isClosed, isRedelivered, nameOf, requeue, subscriberOf, type AmqplibChannel } from './amqplib-delivery.js'

/**
 * Binds the acknowledgements of a channel.
 *
 * The broker closes a channel that settles a delivery twice, so a delivery whose acknowledgement was lost is given back only if no later call has
 * settled it meanwhile, together with all before it.
 */
export function amqplibAcks(channel: AmqplibChannel): SeamBinding {
  return (tap, steps) => {
    let newestTag = 0
    let settledUpTo = 0
    const settling = (tagOf: (args: readonly unknown[]) => number | undefined) => (below: { readonly call: AnyFunction }): AnyFunction =>
      function (this: unknown, ...args: readonly unknown[]): unknown {
        settledUpTo = Math.max(settledUpTo, tagOf(args) ?? 0)
        return below.call.apply(this, args) as unknown
      }
    for (const method of ['ack', 'nack']) {
      steps.patch(channel, method, settling(([message, allUpTo]) => (allUpTo === true ? deliveryOf(message).fields.deliveryTag : undefined)))
    }
    for (const method of ['ackAll', 'nackAll', 'recover']) steps.patch(channel, method, settling(() => newestTag))

    const seam = methodSeam({
      object: channel,
      method: 'ack',
      name: ([message]) => {
        const delivery = deliveryOf(message)
        newestTag = Math.max(newestTag, delivery.fields.deliveryTag)
        return isCopy(delivery) ? undefined : nameOf(delivery)
      },
      payload: { read: ([message]) => deliveryOf(message).content, replace: (args) => args },
      subscriber: ([message]) => subscriberOf(deliveryOf(message)),
      isRedelivered: ([message]) => isRedelivered(deliveryOf(message)),
      isGone: () => isClosed(channel),
      refuse: ([message, allUpTo]) => {
        const delivery = deliveryOf(message)
        if (delivery.fields.deliveryTag > settledUpTo) requeue(channel, delivery, allUpTo === true)
      },
    })
    seam(tap, steps)
  }
}
