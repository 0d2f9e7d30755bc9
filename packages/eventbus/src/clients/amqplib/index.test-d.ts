import { inject } from '@chaos/core'
import type { Channel, ConfirmChannel } from 'amqplib'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { loseAcks } from '../../faults/lose-acks.js'
import { bindAmqplib } from './index.js'

declare const publisher: ConfirmChannel
declare const consumer: Channel

it('takes the channels of amqplib, and makes a bus of them', () => {
  assertType<Bus>(bindAmqplib({ publisher, consumer }))
  void inject(loseAcks(), bindAmqplib({ consumer, noAck: false }), { only: 'orders.*' })
  // @ts-expect-error -- not a channel
  bindAmqplib({ publisher: new EventTarget() })
  // @ts-expect-error -- which of the two it is must be said
  bindAmqplib(consumer)
})
