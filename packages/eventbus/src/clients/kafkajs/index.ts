import { bindBus, type Bus, type SeamBinding } from '../../seams/bus.js'
import { methodSeam } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'

/** A kafkajs producer. */
export interface KafkajsProducer {
  send(record: never): Promise<unknown>
  sendBatch(batch: never): Promise<unknown>
}

/** An object of the application with the message handler. The handler that a consumer was given is out of reach. */
export interface KafkajsHandlers {
  eachMessage(payload: never): Promise<unknown>
}

/** The parts of one bus. Leave out a part that this process does not have. */
export interface KafkajsParts {
  readonly producer?: KafkajsProducer | undefined
  /**
   * The consumer must look up its handler on each call: `consumer.run({ eachMessage: (payload) =>
   * handlers.eachMessage(payload) })`.
   */
  readonly handlers?: KafkajsHandlers | undefined
  /** The name that `subscriber` is matched against. Default `consumer`. */
  readonly groupId?: string | undefined
}

interface Message {
  readonly value: unknown
  readonly partition?: number
}
interface ProducerRecord {
  readonly topic: string
  readonly messages: readonly Message[]
}
interface EachMessagePayload {
  readonly topic: string
  readonly partition: number
  readonly message: Message
}

/**
 * Binds a kafkajs producer and the handler of a consumer. The name of a message is its topic.
 *
 * Each `send` is one message. Its payload is the value, or the list of values if there are several. A dropped `send` is
 * answered with the offset -1. `sendBatch` and transactions are never affected. kafkajs awaits the handler, one message of a
 * partition after the other: a held delivery blocks its partition, a failed one is retried by the `retry` option of kafkajs,
 * and a dropped one is committed.
 */
export function bindKafkajs({ producer, handlers, groupId = 'consumer' }: KafkajsParts): Bus {
  return bindBus({
    kind: 'a Kafka client',
    knowsSubscribers: true,
    seams: {
      publish: producer && publishSeam(producer),
      delivery: handlers && deliverySeam(handlers, groupId),
    },
  })
}

function publishSeam(producer: KafkajsProducer): SeamBinding {
  return methodSeam<readonly [record: ProducerRecord]>({
    object: producer,
    method: 'send',
    isAwaited: true,
    name: ([{ topic }]) => topic,
    read([record]) {
      const { messages, ...rest } = record
      return {
        get payload() {
          const values = messages.map(({ value }) => value)
          return values.length === 1 ? values[0] : values
        },
        withPayload(payload) {
          const values = (messages.length === 1 ? [payload] : payload) as readonly unknown[]
          return [{ ...rest, messages: values.map((value, index) => ({ ...messages[index], value })) }]
        },
        snapshot: () => [
          { ...rest, messages: messages.map((message) => ({ ...message, value: copiedBytes(message.value) })) },
        ],
        answer() {
          const partitions = new Set(messages.map(({ partition = 0 }) => partition))
          return Promise.resolve(
            [...partitions].map((partition) => ({
              topicName: rest.topic,
              partition,
              errorCode: 0,
              baseOffset: '-1',
              logAppendTime: '-1',
              logStartOffset: '-1',
            })),
          )
        },
      }
    },
  })
}

function deliverySeam(handlers: KafkajsHandlers, groupId: string): SeamBinding {
  return methodSeam<readonly [payload: EachMessagePayload]>({
    object: handlers,
    method: 'eachMessage',
    isAwaited: true,
    name: ([{ topic }]) => topic,
    read: ([payload]) => ({
      payload: payload.message.value,
      withPayload: (value) => [{ ...payload, message: { ...payload.message, value } }],
      // Kafka keeps order within a partition.
      subscriber: { name: groupId, identity: `${groupId} ${payload.partition}` },
      answer: () => Promise.resolve(),
    }),
  })
}
