import { bindBus, type Bus, type SeamBinding } from '../../seams/bus.js'
import { methodSeam, replaced } from '../../seams/method-seam.js'
import { copiedBytes } from '@chaos/core/authoring'

/** A producer of kafkajs. */
export interface KafkajsProducer {
  send(record: never): Promise<unknown>
  sendBatch(batch: never): Promise<unknown>
}

/** What handles the messages of a consumer: an object of the application's own, since a consumer keeps what it was given out of reach. */
export interface KafkajsHandlers {
  eachMessage(payload: never): Promise<unknown>
}

/** The parts of one bus. Leave out what is elsewhere. */
export interface KafkajsParts {
  readonly producer?: KafkajsProducer | undefined
  /** The consumer must look its handler up: `consumer.run({ eachMessage: (payload) => handlers.eachMessage(payload) })`. */
  readonly handlers?: KafkajsHandlers | undefined
  /** What `subscriber` is matched against. Default `consumer`. */
  readonly groupId?: string | undefined
}

type Value = Uint8Array | string | null
interface Message {
  readonly value: Value
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
 * Binds a producer of kafkajs and the handler of a consumer. A message's name is its topic.
 *
 * A `send` is one message, its payload the value, or the list of values where it has several; one that is lost is answered without its offset.
 * `sendBatch` and transactions pass straight through. kafkajs awaits the handler, one message of a partition after the other: a delivery that is held keeps
 * its partition waiting, one that fails is tried again by kafkajs' own `retry`, one that is lost is committed.
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
  const recordOf = ([record]: readonly unknown[]): ProducerRecord => record as ProducerRecord
  return methodSeam({
    object: producer,
    method: 'send',
    name: (args) => recordOf(args).topic,
    payload: {
      read: (args) => {
        const values = recordOf(args).messages.map(({ value }) => value)
        return values.length === 1 ? values[0] : values
      },
      replace: (args, payload) => {
        const { messages, ...rest } = recordOf(args)
        const values = (messages.length === 1 ? [payload] : payload) as readonly Value[]
        return [{ ...rest, messages: values.map((value, index) => ({ ...messages[index], value })) }]
      },
    },
    isAwaited: true,
    snapshot: (args) => {
      const { messages, ...rest } = recordOf(args)
      return replaced(args, 0, {
        ...rest,
        messages: messages.map((message) => ({ ...message, value: copiedBytes(message.value) })),
      })
    },
    answer: (args) => {
      const { topic, messages } = recordOf(args)
      const partitions = new Set(messages.map(({ partition = 0 }) => partition))
      return Promise.resolve(
        [...partitions].map((partition) => ({
          topicName: topic,
          partition,
          errorCode: 0,
          baseOffset: '-1',
          logAppendTime: '-1',
          logStartOffset: '-1',
        })),
      )
    },
  })
}

function deliverySeam(handlers: KafkajsHandlers, groupId: string): SeamBinding {
  const payloadOf = ([payload]: readonly unknown[]): EachMessagePayload => payload as EachMessagePayload
  return methodSeam({
    object: handlers,
    method: 'eachMessage',
    name: (args) => payloadOf(args).topic,
    payload: {
      read: (args) => payloadOf(args).message.value,
      replace: (args, value) => {
        const { message, ...rest } = payloadOf(args)
        return replaced(args, 0, { ...rest, message: { ...message, value } })
      },
    },
    // Order is that of a partition.
    subscriber: (args) => ({ name: groupId, identity: `${groupId} ${payloadOf(args).partition}` }),
    isAwaited: true,
    answer: () => Promise.resolve(),
  })
}
