import { Buffer } from 'node:buffer'
import type { Subscriber } from '../../seams/bus.js'

/** A consumer of NATS JetStream, as far as faults need it: what `consumers.get` returns. */
export interface ConsumerLike {
  consume(options?: never): Promise<unknown>
  info(cached?: never): Promise<unknown>
}

/** What `consume` and `fetch` return. */
export interface ConsumerMessagesLike {
  close(): Promise<unknown>
  status(): unknown
}

/** What `consume` and `fetch` return, as it is inside. */
export interface MessagesIterator {
  readonly consumer: unknown
  /** Whether it is closed. */
  readonly done: boolean
}

/** A message as its consumer gets it. */
export interface JsMessage {
  readonly subject: string
  readonly data: Uint8Array
  readonly didAck: boolean
  readonly redelivered: boolean
  readonly info: { readonly stream: string; readonly consumer: string; readonly deliveryCount: number }
  ack(): void
  nak(): void
}

/** What an iterator of messages is given: a message, or a step that it takes when all before it was consumed. */
export const isJsMessage = (item: unknown): item is JsMessage =>
  typeof item === 'object' && item !== null && 'ackAck' in item

export const subscriberOf = ({ info: { stream, consumer } }: JsMessage): Subscriber => ({
  name: consumer,
  identity: `${stream} ${consumer}`,
})

/** The same message with other content, settled as the original is. */
export function withData(message: JsMessage, data: Uint8Array): JsMessage {
  const text = (): string => Buffer.from(data).toString('utf8')
  return Object.create(message, {
    data: { value: data },
    string: { value: text },
    json: { value: () => JSON.parse(text()) as unknown },
  }) as JsMessage
}

/** Another delivery of the same message. The server knows of one: whatever is said of the copy goes nowhere, as after a first `ack`. */
export function copyOf(message: JsMessage): JsMessage {
  const info = { ...message.info, deliveryCount: message.info.deliveryCount + 1, redelivered: true }
  return Object.create(message, {
    didAck: { value: true },
    info: { value: info },
    redelivered: { value: true },
  }) as JsMessage
}
