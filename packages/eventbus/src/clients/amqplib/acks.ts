import type { SeamBinding } from '../../seams/bus.js'
import { methodSeam } from '../../seams/method-seam.js'
import { isCopy } from './copies.js'
import { deliveryOf, isClosed, isRedelivered, nameOf, requeue, subscriberOf, type AmqplibChannel } from './delivery.js'
import { watchSettling } from './settled.js'

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
