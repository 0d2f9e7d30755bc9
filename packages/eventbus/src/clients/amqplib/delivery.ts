import type { Socket } from 'node:net'
import type { Connection, Subscriber } from '../../seams/bus.js'
import { standingSocket } from '../../seams/failing-socket.js'

/** A channel or confirm channel of amqplib, as far as faults need it. */
export interface AmqplibChannel {
  emit(event: string, ...args: unknown[]): boolean
  publish(exchange: string, routingKey: string, content: never, ...rest: never[]): boolean
  ack(message: never, allUpTo?: boolean): void
  nack(message: never, allUpTo?: boolean, requeue?: boolean): void
  reject(message: never, requeue?: boolean): void
}

/** A message as amqplib hands it to a consumer. */
export interface AmqplibDelivery {
  readonly content: unknown
  readonly fields: {
    readonly deliveryTag: number
    readonly redelivered: boolean
    readonly exchange: string
    readonly routingKey: string
    /** None where it was fetched by `get`. */
    readonly consumerTag?: string
  }
}

/** A fanout exchange needs no routing key. */
export const nameOf = ({ fields }: AmqplibDelivery): string =>
  fields.routingKey === '' ? fields.exchange : fields.routingKey

export const isRedelivered = ({ fields }: AmqplibDelivery): boolean => fields.redelivered

export function subscriberOf({ fields: { consumerTag } }: AmqplibDelivery): Subscriber | undefined {
  return consumerTag === undefined ? undefined : { name: consumerTag, identity: consumerTag }
}

/** Whether a channel or its connection is closed, or about to be: amqplib then replaces what sends. It opens another one instead. */
export const isClosed = (channel: AmqplibChannel): boolean =>
  Object.hasOwn(channel, 'sendMessage') || Object.hasOwn(Reflect.get(channel, 'connection') as object, 'sendMessage')

/** Whether the consumer of a delivery was cancelled, by itself or by the broker, whose queue is gone: amqplib then throws. */
export function isCancelled(channel: AmqplibChannel, { fields: { consumerTag } }: AmqplibDelivery): boolean {
  const consumers: unknown = Reflect.get(channel, 'consumers')
  return consumers instanceof Map && !consumers.has(consumerTag)
}

/** Gives a delivery back, and all before it with `allUpTo`. On a channel that is closed the broker has taken everything back itself. */
export function requeue(channel: AmqplibChannel, delivery: AmqplibDelivery, allUpTo = false): void {
  try {
    channel.nack(delivery as never, allUpTo, true)
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'IllegalOperationError') throw error
  }
}

/** The connection of a channel. A channel does not outlive it: an application makes another connection, and other channels. */
export function connectionOf(name: string, channel: AmqplibChannel | undefined): readonly Connection[] {
  if (channel === undefined) return []
  const { stream } = Reflect.get(channel, 'connection') as { readonly stream: Socket }
  return [{ name, standing: () => standingSocket(stream) }]
}
