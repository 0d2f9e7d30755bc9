import { bindBus, type Bus, type SeamBinding, type Tap } from '../../seams/bus.js'
import { BAGGAGE } from '../../seams/message-scope.js'
import { methodSeam } from '../../seams/method-seam.js'
import { keepRequests, type BeginCall } from './requests.js'
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
  readonly headers?: Readonly<Record<string, unknown>> | undefined
  readonly partition?: number
}
interface ProducerRecord {
  readonly topic: string
  readonly messages: readonly Message[]
}
interface ProducerBatch {
  readonly topicMessages: readonly ProducerRecord[]
}
interface EachMessagePayload {
  readonly topic: string
  readonly partition: number
  readonly message: Message
}

/**
 * Binds a kafkajs producer and the handler of a consumer. The name of a message is its topic.
 *
 * Each `send`, and each topic of a `sendBatch`, is one message. Its payload is the value, or the list of values if there are
 * several. A dropped message is answered with the offset -1. Transactions are never affected. While a message is held, kafkajs
 * waits for the broker: its timeouts and retries run, and the message is sent as often as it has tried. If kafkajs is bundled
 * into the application, the call itself is held instead, above them. kafkajs awaits the handler, one message of a
 * partition after the other: a held delivery blocks its partition, a failed one is retried by the `retry` option of kafkajs,
 * and a dropped one is committed.
 */
export function bindKafkajs({ producer, handlers, groupId = 'consumer' }: KafkajsParts): Bus {
  return bindBus({
    kind: 'a Kafka client',
    knowsSubscribers: true,
    carriesScopes: true,
    seams: {
      publish: producer && publishSeam(producer),
      delivery: handlers && deliverySeam(handlers, groupId),
    },
  })
}

const publishSeam =
  (producer: KafkajsProducer): SeamBinding =>
  (tap, steps) => {
    const begin = keepRequests(producer, steps)
    sendSeam(producer, begin)(tap, steps)
    batchSeam(producer, begin)(tap, steps)
  }

/** Binds the batches of a producer. Each topic of an affected batch becomes a `send` of its own. */
const batchSeam =
  (producer: KafkajsProducer, begin: BeginCall | undefined): SeamBinding =>
  (tap, steps) =>
    steps.patch(producer, 'sendBatch', (below) => {
      const one = {
        send: ({ topic, messages, ...rest }: ProducerRecord) =>
          below.call.call(producer, { ...rest, topicMessages: [{ topic, messages }] }) as Promise<readonly unknown[]>,
      }
      sendSeam(one, begin)(tap, steps)
      return function sendBatch(this: unknown, ...args: readonly [batch: ProducerBatch]): unknown {
        if (!isCovered(tap, args[0])) return below.call.apply(this, args) as unknown
        const { topicMessages, ...rest } = args[0]
        return Promise.all(topicMessages.map((record) => one.send({ ...rest, ...record }))).then((all) => all.flat())
      }
    })

/** A batch that cannot be read passes: kafkajs itself reports what is wrong with it. */
function isCovered(tap: Tap, batch: ProducerBatch): boolean {
  try {
    return batch.topicMessages.some(({ topic }) => tap.covers(topic))
  } catch {
    return false
  }
}

function sendSeam(producer: object, begin: BeginCall | undefined): SeamBinding {
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
        withBaggage: (write) => [
          {
            ...rest,
            messages: messages.map((message) => ({
              ...message,
              headers: { ...message.headers, [BAGGAGE]: write(message.headers?.[BAGGAGE]) },
            })),
          },
        ],
        snapshot: () => [
          { ...rest, messages: messages.map((message) => ({ ...message, value: copiedBytes(message.value) })) },
        ],
        begin: begin && ((forward) => begin(forward as () => Promise<unknown>)),
        answer: () => Promise.resolve(answerTo(record)),
      }
    },
  })
}

/** What a broker answers, one entry for each partition. */
function answerTo({ topic, messages }: ProducerRecord): readonly object[] {
  const partitions = new Set(messages.map(({ partition = 0 }) => partition))
  return [...partitions].map((partition) => ({
    topicName: topic,
    partition,
    errorCode: 0,
    baseOffset: '-1',
    logAppendTime: '-1',
    logStartOffset: '-1',
  }))
}

function deliverySeam(handlers: KafkajsHandlers, groupId: string): SeamBinding {
  return methodSeam<readonly [payload: EachMessagePayload]>({
    object: handlers,
    method: 'eachMessage',
    isAwaited: true,
    name: ([{ topic }]) => topic,
    read: ([payload]) => ({
      payload: payload.message.value,
      baggage: () => payload.message.headers?.[BAGGAGE],
      withPayload: (value) => [{ ...payload, message: { ...payload.message, value } }],
      // Kafka keeps order within a partition.
      subscriber: { name: groupId, identity: `${groupId} ${payload.partition}` },
      answer: () => Promise.resolve(),
    }),
  })
}
