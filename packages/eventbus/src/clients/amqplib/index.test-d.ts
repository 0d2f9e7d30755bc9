import { inject } from '@chaos/core'
import type { Channel, ConfirmChannel } from 'amqplib'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { loseAcks } from '../../faults/lose-acks.js'
import { amqplibChannels } from './index.js'

declare const publisher: ConfirmChannel
declare const consumer: Channel

it('takes the channels of amqplib, and makes a bus of them', () => {
  assertType<Bus>(amqplibChannels({ publisher, consumer }))
  void inject(loseAcks(), amqplibChannels({ consumer, noAck: false }), { only: 'orders.*' })
  // @ts-expect-error -- not a channel
  amqplibChannels({ publisher: new EventTarget() })
  // @ts-expect-error -- which of the two it is must be said
  amqplibChannels(consumer)
})
