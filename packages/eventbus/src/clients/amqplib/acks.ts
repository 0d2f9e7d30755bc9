import type { SeamBinding } from '../../seams/bus.js'
import { methodSeam } from '../../seams/method-seam.js'
import { isCopy } from './copies.js'
import {
  isClosed,
  isRedelivered,
  nameOf,
  requeue,
  subscriberOf,
  type AmqplibChannel,
  type AmqplibDelivery,
} from './delivery.js'
import { watchSettling } from './settled.js'

/**
 * Binds the acknowledgements of a channel.
 *
 * The broker closes a channel that settles a delivery twice. So a delivery whose acknowledgement was dropped is requeued
 * only if no later `allUpTo` call has settled it.
 */
export function amqplibAcks(channel: AmqplibChannel): SeamBinding {
  return (tap, steps) => {
    const settled = watchSettling(channel, steps)
    const seam = methodSeam<readonly [delivery: AmqplibDelivery, allUpTo?: boolean]>({
      object: channel,
      method: 'ack',
      name([delivery]) {
        settled.see(delivery)
        return isCopy(delivery) ? undefined : nameOf(delivery)
      },
      read(args) {
        const [delivery, allUpTo] = args
        return {
          payload: delivery.content,
          withPayload: () => args,
          subscriber: subscriberOf(delivery),
          isRedelivered: isRedelivered(delivery),
          isGone: () => isClosed(channel),
          refuse() {
            if (settled.as(delivery) === undefined) requeue(channel, delivery, allUpTo === true)
          },
        }
      },
    })
    seam(tap, steps)
  }
}
