import { jetStreamAcks } from './acks.js'
import { jetStreamDelivery } from './delivery.js'
import type { ConsumerLike, ConsumerMessagesLike } from './messages.js'
import { bindBus, type Bus, type SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'
import { bindNats, type NatsConnectionLike } from '../nats/index.js'

export type { ConsumerLike, ConsumerMessagesLike }

/** A client of NATS JetStream, as far as faults need it: what `jetstream` returns. */
export interface JetStreamClientLike {
  publish(subject: never, payload?: never, options?: never): Promise<unknown>
  readonly consumers: object
}

/** Both ends of one bus. Leave out what is elsewhere. */
export interface JetStreamEnds {
  /** The client that publishes. */
  readonly client?: JetStreamClientLike | undefined
  /** What `consume` or `fetch` has returned: messages that are under way already. */
  readonly messages?: ConsumerMessagesLike | readonly ConsumerMessagesLike[] | undefined
  /** A consumer, whose `consume`, `fetch` and `next` are called while a fault is in force. */
  readonly consumer?: ConsumerLike | undefined
}

/**
 * Binds NATS JetStream through `@nats-io/jetstream`. A message's name is its subject; a subscriber is a consumer, by its durable name. Pull and push
 * consumers, iterators and callbacks are delivered alike.
 *
 * A delivery that fails is given back (`nak`). One that is dropped is acknowledged, and whatever is said of an additional copy goes nowhere: the server
 * knows of one delivery. While messages are held, their iterator neither ends nor asks the server for more. Whoever publishes a message that is lost gets an
 * acknowledgement with an empty stream and sequence 0. Acknowledgements are found with the first message that comes while a fault is in force.
 */
export function bindJetStream({ client, messages = [], consumer }: JetStreamEnds): Bus {
  const iterators = 'length' in messages ? messages : [messages]
  const outlet = iterators.length === 0 && consumer === undefined ? undefined : { messages: iterators, consumer }
  return bindBus({
    kind: 'NATS JetStream',
    knowsSubscribers: true,
    requeues: true,
    connections: client && bindNats(Reflect.get(client, 'nc') as NatsConnectionLike).connections,
    seams: {
      publish: client && publishSeam(client),
      delivery: outlet && jetStreamDelivery(outlet),
      ack: outlet && jetStreamAcks(outlet),
    },
  })
}

function publishSeam(client: JetStreamClientLike): SeamBinding {
  return methodSeam<readonly [subject: string, payload?: unknown, options?: unknown]>({
    object: client,
    method: 'publish',
    isAwaited: true,
    name: ([subject]) => String(subject),
    read: (args) => ({
      payload: args[1],
      withPayload: (payload) => replaced(args, 1, payload),
      isGone: () => (Reflect.get(client, 'nc') as { isClosed(): boolean }).isClosed(),
      snapshot: () => replaced(args, 1, copiedBytes(args[1])),
      answer: () => Promise.resolve({ stream: '', seq: 0, duplicate: false }),
    }),
  })
}
