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
import { BAGGAGE } from '../../seams/message-scope.js'
import { methodSeam, type MessageParts } from '../../seams/method-seam.js'
import { publishSeam } from './publish.js'

export type { AmqplibChannel }

/** The channels of one bus, which may be the same channel. Leave out a channel that this process does not have. */
export interface AmqplibChannels {
  /** A channel or confirm channel that publishes. */
  readonly publisher?: AmqplibChannel | undefined
  /** A channel with consumers. */
  readonly consumer?: AmqplibChannel | undefined
  /** Whether the consumers do not acknowledge messages. Default `false`. */
  readonly noAck?: boolean | undefined
}

/**
 * Binds RabbitMQ through the promise channels of amqplib. The name of a message is its routing key (the queue, for
 * `sendToQueue`), or its exchange if the routing key is empty. A subscriber is a consumer, named by its tag.
 *
 * A failed delivery is requeued (`nack`). A dropped delivery is acknowledged. The acknowledgement of an additional copy does
 * not reach the broker, which knows one delivery only. With `noAck`, nothing is requeued or acknowledged. The callback of a
 * confirm channel is called when a held message is confirmed, and at once for a dropped one; `waitForConfirms` waits for
 * held messages. Messages that are held when the
 * channel closes are lost: the callback gets the error `channel closed`, and the broker redelivers unacknowledged messages.
 * Messages from `get` are not deliveries, but their acknowledgements are affected. A cut connection closes its channels;
 * amqplib opens new ones only if its recovery is on.
 */
export function bindAmqplib({ publisher, consumer, noAck = false }: AmqplibChannels): Bus {
  return bindBus({
    kind: noAck ? 'channels of amqplib without acknowledgements' : 'channels of amqplib',
    knowsSubscribers: true,
    carriesScopes: true,
    requeues: !noAck,
    connections: [...connectionOf('publisher', publisher), ...connectionOf('consumer', consumer)],
    seams: {
      publish: publisher && publishSeam(publisher),
      delivery: consumer && deliverySeam(consumer, noAck),
      ack: noAck ? undefined : consumer && amqplibAcks(consumer),
    },
  })
}

/** The arguments of `emit` for the event `delivery`; those of other events are not read. */
type DeliveryArgs = readonly [event: unknown, delivery: AmqplibDelivery]

function deliverySeam(channel: AmqplibChannel, noAck: boolean): SeamBinding {
  if (noAck) return deliveries(channel, undefined)
  return (tap, steps) => {
    const settled = watchSettling(channel, steps)
    // Below the fault, so that held deliveries pass here when they go on.
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
        baggage: () => delivery.properties?.headers?.[BAGGAGE],
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
