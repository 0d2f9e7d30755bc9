import { bindBus, type Bus, type SeamBinding } from '../../seams/bus.js'
import { amqplibAcks } from './acks.js'
import { copyOf, settledDelivery } from './copies.js'
import {
  connectionOf,
  isCancelled,
  isClosed,
  isRedelivered,
  nameOf,
  requeue,
  subscriberOf,
  type AmqplibChannel,
  type AmqplibDelivery,
} from './delivery.js'
import { watchSettling, type Settled } from './settled.js'
import { callBack } from '../../seams/callbacks.js'
import { methodSeam, replaced, type MessageParts } from '../../seams/method-seam.js'
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
  return methodSeam<PublishArgs>({
    object: channel,
    method: 'publish',
    name: ([exchange, routingKey]) => String(routingKey === '' ? exchange : routingKey),
    read(args) {
      const [exchange, routingKey, content, options] = args
      return {
        payload: args[2],
        withPayload: (payload) => replaced(args, 2, payload),
        answer: () => true,
        snapshot: () => replaced(args, 2, copiedBytes(content)),
        isGone: () => isClosed(channel),
        lose: () => callBack(args, null),
        loseLate: () => callBack(args, new Error('channel closed')),
        // One message is confirmed once, so a copy has no callback.
        copy: () => [exchange, routingKey, content, options],
      }
    },
  })
}

type PublishArgs = readonly [
  exchange: string,
  routingKey: string,
  content: unknown,
  options?: unknown,
  callback?: unknown,
]

/** The arguments of `emit` for the event `delivery`; those of other events are not read. */
type DeliveryArgs = readonly [event: unknown, delivery: AmqplibDelivery]

function deliverySeam(channel: AmqplibChannel, noAck: boolean): SeamBinding {
  if (noAck) return deliveries(channel, undefined)
  return (tap, steps) => {
    const settled = watchSettling(channel, steps)
    // Beneath the fault, where what it has held goes on.
    steps.patch(
      channel,
      'emit',
      (below) =>
        function emit(this: unknown, ...args: DeliveryArgs): unknown {
          const [event, delivery] = args
          const isSettled = event === 'delivery' && settled.as(delivery) !== undefined
          return below.call.apply(this, isSettled ? [event, settledDelivery(channel, delivery)] : args) as unknown
        },
    )
    deliveries(channel, settled)(tap, steps)
  }
}

/** @param settled Which deliveries are settled; `undefined` where nothing is acknowledged. */
function deliveries(channel: AmqplibChannel, settled: Settled | undefined): SeamBinding {
  return methodSeam<DeliveryArgs>({
    object: channel,
    method: 'emit',
    name([event, delivery]) {
      if (event !== 'delivery') return undefined
      const name = nameOf(delivery)
      settled?.see(delivery)
      return name
    },
    read([event, delivery]) {
      const isGone = (): boolean => isClosed(channel) || isCancelled(channel, delivery)
      const parts: MessageParts<DeliveryArgs> = {
        payload: delivery.content,
        withPayload: (content) => [event, { ...delivery, content }],
        answer: () => true,
        subscriber: subscriberOf(delivery),
        isRedelivered: isRedelivered(delivery),
        isGone,
      }
      if (settled === undefined) return parts
      const refuse = (): void => requeue(channel, delivery)
      return {
        ...parts,
        isGone: () => isGone() || settled.as(delivery) === 'refused',
        refuse,
        fail: refuse,
        lose: () => channel.ack(delivery as never),
        // The cancelled consumer never got it: the broker must deliver it to another one.
        loseLate() {
          if (!isClosed(channel) && settled.as(delivery) === undefined) refuse()
        },
        copy: () => [event, copyOf(channel, delivery)],
      }
    },
  })
}
