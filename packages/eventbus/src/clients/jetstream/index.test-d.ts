import { inject } from '@chaos/core'
import type { Consumer, ConsumerMessages, JetStreamClient, PushConsumer } from '@nats-io/jetstream'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { loseAcks } from '../../faults/lose-acks.js'
import { jetStreamBus } from './index.js'

declare const client: JetStreamClient
declare const consumer: Consumer
declare const pushConsumer: PushConsumer
declare const messages: ConsumerMessages

it('takes what the JetStream client has, and makes a bus of it', () => {
  assertType<Bus>(jetStreamBus({ client, consumer, messages }))
  assertType<Bus>(jetStreamBus({ consumer: pushConsumer }))
  void inject(loseAcks(), jetStreamBus({ messages: [messages, messages] }), { only: 'orders.*' })
  // @ts-expect-error -- not a client
  jetStreamBus({ client: new EventTarget() })
  // @ts-expect-error -- what it is must be said
  jetStreamBus(messages)
})
