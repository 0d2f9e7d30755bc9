import { inject } from '@chaos/core'
import type { EachMessageHandler, Producer } from 'kafkajs'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { dropEvents } from '../../faults/drop-events.js'
import { bindKafkajs } from './index.js'

it('takes a producer of kafkajs and the handler of a consumer, and makes a bus of them', () => {
  const bind = (producer: Producer, eachMessage: EachMessageHandler): Bus =>
    bindKafkajs({ producer, handlers: { eachMessage }, groupId: 'billing' })
  assertType<(producer: Producer, eachMessage: EachMessageHandler) => Promise<unknown>>((producer, eachMessage) =>
    inject(dropEvents(), bind(producer, eachMessage), { only: 'orders.*' }),
  )
  // @ts-expect-error -- not a producer
  bindKafkajs({ producer: new EventTarget() })
})
