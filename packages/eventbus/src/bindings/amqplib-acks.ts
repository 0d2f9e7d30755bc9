import type { SeamBinding } from '../bus.js'
import { methodSeam } from '../method-seam.js'
import { isCopy } from './amqplib-copies.js'
import {
  deliveryOf,
  isClosed,
  isRedelivered,
  nameOf,
  requeue,
  subscriberOf,
  type AmqplibChannel,
} from './amqplib-delivery.js'
import { watchSettling } from './amqplib-settled.js'

/**
 * Binds the acknowledgements of a channel.
 *
 * The broker closes a channel that settles a delivery twice, so a delivery whose acknowledgement was lost is given back only if no later call has
 * settled it meanwhile, together with all before it.
 */
export function amqplibAcks(channel: AmqplibChannel): SeamBinding {
  return (tap, steps) => {
    const settled = watchSettling(channel, steps)
    const seam = methodSeam({
      object: channel,
      method: 'ack',
      name: ([message]) => {
        const delivery = deliveryOf(message)
        settled.see(delivery)
        return isCopy(delivery) ? undefined : nameOf(delivery)
      },
      payload: { read: ([message]) => deliveryOf(message).content, replace: (args) => args },
      subscriber: ([message]) => subscriberOf(deliveryOf(message)),
      isRedelivered: ([message]) => isRedelivered(deliveryOf(message)),
      isGone: () => isClosed(channel),
      refuse: ([message, allUpTo]) => {
        const delivery = deliveryOf(message)
        if (settled.as(delivery) === undefined) requeue(channel, delivery, allUpTo === true)
      },
    })
    seam(tap, steps)
  }
}
