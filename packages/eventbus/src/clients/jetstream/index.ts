import { jetStreamAcks } from './acks.js'
import { jetStreamDelivery } from './delivery.js'
import type { ConsumerLike, ConsumerMessagesLike } from './messages.js'
import { jetStreamPublish } from './publish.js'
import { bindBus, type Bus } from '../../seams/bus.js'
import { bindNats, type NatsConnectionLike } from '../nats/index.js'

export type { ConsumerLike, ConsumerMessagesLike }

/** The members of a NATS JetStream client that faults use: the result of `jetstream`. */
export interface JetStreamClientLike {
  publish(subject: never, payload?: never, options?: never): Promise<unknown>
  readonly consumers: object
}

/** Both ends of one bus. Leave out an end that this process does not have. */
export interface JetStreamEnds {
  /** The client that publishes. */
  readonly client?: JetStreamClientLike | undefined
  /** Running iterators: results of `consume` or `fetch`. */
  readonly messages?: ConsumerMessagesLike | readonly ConsumerMessagesLike[] | undefined
  /** A consumer whose `consume`, `fetch` or `next` is called while a fault is in force. */
  readonly consumer?: ConsumerLike | undefined
}

/**
 * Binds NATS JetStream through `@nats-io/jetstream`. The name of a message is its subject. A subscriber is a consumer, named
 * by its durable name. The binding covers pull and push consumers, with iterators and callbacks.
 *
 * A failed delivery is returned to the server (`nak`). A dropped delivery is acknowledged. The acknowledgement of an
 * additional copy does not reach the server, which knows one delivery only. While messages are held, their iterator neither
 * ends nor requests more messages. The publisher of a dropped message gets an acknowledgement with an empty stream and
 * sequence 0. The `timeout` and `retries` of `publish` apply to a held message; each retry is another message.
 * Acknowledgements can be affected once a message is queued or arrives while the fault is in force.
 */
export function bindJetStream({ client, messages = [], consumer }: JetStreamEnds): Bus {
  const iterators = 'length' in messages ? messages : [messages]
  const outlet = iterators.length === 0 && consumer === undefined ? undefined : { messages: iterators, consumer }
  return bindBus({
    kind: 'NATS JetStream',
    knowsSubscribers: true,
    carriesScopes: true,
    requeues: true,
    connections: client && bindNats(Reflect.get(client, 'nc') as NatsConnectionLike).connections,
    seams: {
      publish: client && jetStreamPublish(client),
      delivery: outlet && jetStreamDelivery(outlet),
      ack: outlet && jetStreamAcks(outlet),
    },
  })
}
