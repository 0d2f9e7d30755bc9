import { Buffer } from 'node:buffer'
import type { Subscriber } from '../../seams/bus.js'

/** The members of a NATS JetStream consumer that faults use: the result of `consumers.get`. */
export interface ConsumerLike {
  consume(options?: never): Promise<unknown>
  info(cached?: never): Promise<unknown>
}

/** The result of `consume` and `fetch`. */
export interface ConsumerMessagesLike {
  close(): Promise<unknown>
  status(): unknown
}

/** The private members of a {@link ConsumerMessagesLike}. */
export interface MessagesIterator {
  readonly consumer: unknown
  /** Whether it is closed. */
  readonly done: boolean
}

/** A message as a consumer gets it. */
export interface JsMessage {
  readonly subject: string
  readonly data: Uint8Array
  readonly headers?: { values(name: string): readonly string[] } | undefined
  readonly didAck: boolean
  readonly redelivered: boolean
  readonly info: { readonly stream: string; readonly consumer: string; readonly deliveryCount: number }
  ack(): void
  nak(): void
}

/**
 * Whether an item of an iterator is a message. Other items are functions that run when all earlier items are consumed.
 */
export const isJsMessage = (item: unknown): item is JsMessage =>
  typeof item === 'object' && item !== null && 'ackAck' in item

/** Whether the connection that a message came by is closed for good, so that the server redelivers the message. */
export function isConnectionClosed(message: JsMessage): boolean {
  const { publisher } = Reflect.get(message, 'msg') as { readonly publisher: { isClosed(): boolean } }
  return publisher.isClosed()
}

export const subscriberOf = ({ info: { stream, consumer } }: JsMessage): Subscriber => ({
  name: consumer,
  identity: `${stream} ${consumer}`,
})

/** The same message with other content. Its acknowledgement settles the original. */
export function withData(message: JsMessage, data: Uint8Array): JsMessage {
  const text = (): string => Buffer.from(data).toString('utf8')
  return Object.create(message, {
    data: { value: data },
    string: { value: text },
    json: { value: () => JSON.parse(text()) as unknown },
  }) as JsMessage
}

/**
 * A second delivery of the same message. The server knows one delivery only, so the client ignores an acknowledgement
 * of the copy, as after a first `ack`.
 */
export function copyOf(message: JsMessage): JsMessage {
  const info = { ...message.info, deliveryCount: message.info.deliveryCount + 1, redelivered: true }
  return Object.create(message, {
    didAck: { value: true },
    info: { value: info },
    redelivered: { value: true },
  }) as JsMessage
}
