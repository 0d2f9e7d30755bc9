import type { Socket } from 'node:net'
import { types } from 'node:util'
import { isError } from '@chaos/core/authoring'
import type { Connection, Subscriber } from '../../seams/bus.js'
import { standingSocket } from '../../seams/failing-socket.js'

/** The methods of an amqplib channel or confirm channel that faults use. */
export interface AmqplibChannel {
  emit(event: string, ...args: unknown[]): boolean
  publish(exchange: string, routingKey: string, content: never, ...rest: never[]): boolean
  ack(message: never, allUpTo?: boolean): void
  nack(message: never, allUpTo?: boolean, requeue?: boolean): void
  reject(message: never, requeue?: boolean): void
}

/** A message as amqplib delivers it to a consumer. */
export interface AmqplibDelivery {
  readonly content: unknown
  readonly properties?: { readonly headers?: Readonly<Record<string, unknown>> | undefined }
  readonly fields: {
    readonly deliveryTag: number
    readonly redelivered: boolean
    readonly exchange: string
    readonly routingKey: string
    /** Missing for a message that `get` returned. */
    readonly consumerTag?: string
  }
}

/** The routing key, or the exchange where the key is empty, as with a fanout exchange. */
export const nameOf = ({ fields }: AmqplibDelivery): string =>
  fields.routingKey === '' ? fields.exchange : fields.routingKey

export const isRedelivered = ({ fields }: AmqplibDelivery): boolean => fields.redelivered

export function subscriberOf({ fields: { consumerTag } }: AmqplibDelivery): Subscriber | undefined {
  return consumerTag === undefined ? undefined : { name: consumerTag, identity: consumerTag }
}

/** Whether a channel or its connection is closed or closing: amqplib then replaces the methods that send. */
export const isClosed = (channel: AmqplibChannel): boolean =>
  Object.hasOwn(channel, 'sendImmediately') ||
  Object.hasOwn(Reflect.get(channel, 'connection') as object, 'sendMessage')

/**
 * Whether the consumer of a delivery is canceled, by the application or by a broker that has deleted the queue. amqplib
 * then throws.
 */
export function isCancelled(channel: AmqplibChannel, { fields: { consumerTag } }: AmqplibDelivery): boolean {
  const consumers: unknown = Reflect.get(channel, 'consumers')
  return types.isMap(consumers) && !consumers.has(consumerTag)
}

/**
 * Requeues a delivery; with `allUpTo`, also all earlier ones. On a closed channel the broker has requeued everything
 * itself.
 */
export function requeue(channel: AmqplibChannel, delivery: AmqplibDelivery, allUpTo = false): void {
  try {
    channel.nack(delivery as never, allUpTo, true)
  } catch (error) {
    if (!isError(error) || error.name !== 'IllegalOperationError') throw error
  }
}

/** The connection of a channel. When it closes, the application must open a new connection and new channels. */
export function connectionOf(name: string, channel: AmqplibChannel | undefined): readonly Connection[] {
  if (channel === undefined) return []
  const { stream } = Reflect.get(channel, 'connection') as { readonly stream: Socket }
  return [{ name, standing: () => standingSocket(stream) }]
}
