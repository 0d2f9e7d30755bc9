import { inject } from '@chaos/core'
import type { Consumer, ConsumerMessages, JetStreamClient, PushConsumer } from '@nats-io/jetstream'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { loseAcks } from '../../faults/lose-acks.js'
import { bindJetStream } from './index.js'

declare const client: JetStreamClient
declare const consumer: Consumer
declare const pushConsumer: PushConsumer
declare const messages: ConsumerMessages

it('takes what the JetStream client has, and makes a bus of it', () => {
  assertType<Bus>(bindJetStream({ client, consumer, messages }))
  assertType<Bus>(bindJetStream({ consumer: pushConsumer }))
  void inject(loseAcks(), bindJetStream({ messages: [messages, messages] }), { only: 'orders.*' })
  // @ts-expect-error -- not a client
  bindJetStream({ client: new EventTarget() })
  // @ts-expect-error -- what it is must be said
  bindJetStream(messages)
})
