import { bindBus, type Bus, type Message, type SeamBinding } from '../../seams/bus.js'
import { amqplibAcks } from './acks.js'
import { copyOf, settledDelivery } from './copies.js'
import {
  connectionOf,
  deliveryOf,
  isCancelled,
  isClosed,
  isRedelivered,
  nameOf,
  requeue,
  subscriberOf,
  type AmqplibChannel,
} from './delivery.js'
import { watchSettling } from './settled.js'
import { callBack } from '../../seams/callbacks.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'

export type { AmqplibChannel }

/** The channels of one bus; they may be the same. Leave out what is elsewhere. */
export interface AmqplibChannels {
  /** A channel or confirm channel that publishes. */
  readonly publisher?: AmqplibChannel | undefined
  /** A channel that consumes. */
  readonly consumer?: AmqplibChannel | undefined
  /** Whether its consumers take messages without acknowledging them. Default `false`. */
  readonly noAck?: boolean | undefined
}

/**
 * Binds RabbitMQ through the promise channels of amqplib. A message's name is its routing key (for `sendToQueue` the queue), or its exchange where it
 * has none; a subscriber is a consumer, by its tag.
 *
 * A delivery that fails, as one whose consumer caught the error would, is given back: `nack` with requeue. One that is dropped is acknowledged; the
 * acknowledgement of an additional copy does not reach the broker, which knows of one delivery only. With `noAck` neither happens. Whoever publishes
 * on a confirm channel hears of the confirmation when the message has really been published, or at once when it is lost. What is held when its channel is closed is lost: a callback of a
 * confirm channel gets the error `channel closed`, the broker delivers again what was not acknowledged. Messages that are fetched by
 * `get` are no deliveries; their acknowledgements are. A connection that is cut off takes its channels with it: amqplib makes no others by itself, unless
 * it was told to recover.
 */
export function bindAmqplib({ publisher, consumer, noAck = false }: AmqplibChannels): Bus {
  return bindBus({
    kind: noAck ? 'channels of amqplib without acknowledgements' : 'channels of amqplib',
    knowsSubscribers: true,
    requeues: !noAck,
    connections: [...connectionOf('publisher', publisher), ...connectionOf('consumer', consumer)],
    seams: {
      publish: publisher && publishSeam(publisher),
      delivery: consumer && deliverySeam(consumer, noAck),
      ack: noAck ? undefined : consumer && amqplibAcks(consumer),
    },
  })
}

/** `sendToQueue` calls `publish`, too. */
function publishSeam(channel: AmqplibChannel): SeamBinding {
  return methodSeam({
    object: channel,
    method: 'publish',
    name: ([exchange, routingKey]) => String(routingKey === '' ? exchange : routingKey),
    payload: 2,
    answer: () => true,
    snapshot: (args) => replaced(args, 2, copiedBytes(args[2])),
    isGone: () => isClosed(channel),
    loseLate: (args) => callBack(args, new Error('channel closed')),
    // One message is confirmed once.
    copy: (args) => args.slice(0, 4),
    lose: (args) => callBack(args, null),
  })
}

function deliverySeam(channel: AmqplibChannel, noAck: boolean): SeamBinding {
  const delivering = {
    object: channel,
    method: 'emit',
    payload: {
      read: ([, message]: readonly unknown[]) => deliveryOf(message).content,
      replace: (args: readonly unknown[], content: unknown) => replaced(args, 1, { ...deliveryOf(args[1]), content }),
    },
    answer: () => true,
    subscriber: ([, message]: readonly unknown[]) => subscriberOf(deliveryOf(message)),
    isRedelivered: ([, message]: readonly unknown[]) => isRedelivered(deliveryOf(message)),
  }
  const nameIn = ([event, message]: readonly unknown[]): string | undefined =>
    event === 'delivery' ? nameOf(deliveryOf(message)) : undefined
  const isGone = ([, message]: readonly unknown[]): boolean =>
    isClosed(channel) || isCancelled(channel, deliveryOf(message))
  if (noAck) return methodSeam({ ...delivering, name: nameIn, isGone })

  const refuse = (args: readonly unknown[]): void => requeue(channel, deliveryOf(args[1]))
  return (tap, steps) => {
    const settled = watchSettling(channel, steps)
    // Beneath the fault, where what it has held goes on.
    steps.patch(
      channel,
      'emit',
      (below) =>
        function emit(this: unknown, ...args: unknown[]): unknown {
          const isSettled = args[0] === 'delivery' && settled.as(deliveryOf(args[1])) !== undefined
          return below.call.apply(
            this,
            isSettled ? replaced(args, 1, settledDelivery(channel, deliveryOf(args[1]))) : args,
          ) as unknown
        },
    )
    const seam = methodSeam({
      ...delivering,
      name(args) {
        const name = nameIn(args)
        if (name !== undefined) settled.see(deliveryOf(args[1]))
        return name
      },
      isGone: (args) => isGone(args) || settled.as(deliveryOf(args[1])) === 'refused',
      refuse,
      fail: (_error: Error, _how: unknown, args: readonly unknown[]): ReturnType<NonNullable<Message['fail']>> =>
        refuse(args),
      lose: (args) => channel.ack(args[1] as never),
      // A consumer that was cancelled has not got it: it is for others.
      loseLate(args) {
        if (!isClosed(channel) && settled.as(deliveryOf(args[1])) === undefined) refuse(args)
      },
      copy: (args) => replaced(args, 1, copyOf(channel, deliveryOf(args[1]))),
    })
    seam(tap, steps)
  }
}
