import type { AnyFunction, Below } from '@chaos/core/authoring'
import type { Steps } from '../../seams/bus.js'
import type { AmqplibChannel, AmqplibDelivery } from './delivery.js'

/**
 * The deliveries that were settled by calls for many deliveries. The broker closes a channel that settles one of them
 * again.
 */
export interface Settled {
  /** Records an arrived delivery. */
  readonly see: (delivery: AmqplibDelivery) => void
  /** How a call for many deliveries settled a delivery. `undefined`: no such call yet. */
  readonly as: (delivery: AmqplibDelivery) => 'acknowledged' | 'refused' | undefined
}

type SettlingArgs = readonly [delivery: AmqplibDelivery, allUpTo?: boolean]

/** Watches which deliveries a channel settles, including those that a fault still holds. */
export function watchSettling(channel: AmqplibChannel, steps: Steps): Settled {
  let newestTag = 0
  const upTo = { acknowledged: 0, refused: 0 }
  const settling =
    (as: keyof typeof upTo, tagOf: (args: SettlingArgs) => number) =>
    (below: Below): AnyFunction =>
      function (this: unknown, ...args: SettlingArgs): unknown {
        upTo[as] = Math.max(upTo[as], tagOf(args))
        return below.call.apply(this, args) as unknown
      }
  const ofMany = ([delivery, allUpTo]: SettlingArgs): number => (allUpTo === true ? delivery.fields.deliveryTag : 0)
  steps.patch(channel, 'ack', settling('acknowledged', ofMany))
  steps.patch(channel, 'nack', settling('refused', ofMany))
  steps.patch(
    channel,
    'ackAll',
    settling('acknowledged', () => newestTag),
  )
  for (const method of ['nackAll', 'recover'])
    steps.patch(
      channel,
      method,
      settling('refused', () => newestTag),
    )
  return {
    see: ({ fields: { deliveryTag } }) => {
      newestTag = Math.max(newestTag, deliveryTag)
    },
    as: ({ fields: { deliveryTag } }) =>
      deliveryTag <= upTo.acknowledged ? 'acknowledged' : deliveryTag <= upTo.refused ? 'refused' : undefined,
  }
}
