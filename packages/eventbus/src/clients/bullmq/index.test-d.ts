import { inject } from '@chaos/core'
import type { Queue, Worker } from 'bullmq'
import { assertType, it } from 'vitest'
import type { Bus } from '../../seams/bus.js'
import { loseAcks } from '../../faults/lose-acks.js'
import { bindBullmq } from './index.js'

declare const queue: Queue<{ readonly id: number }, string, 'charge'>
declare const worker: Worker<{ readonly id: number }, string, 'charge'>

it('takes a queue and a worker of BullMQ, and makes a bus of them', () => {
  assertType<Bus>(bindBullmq({ queue, worker }))
  void inject(loseAcks(), bindBullmq({ worker }), { only: 'charge' })
  // @ts-expect-error -- not a queue
  bindBullmq({ queue: new EventTarget() })
  // @ts-expect-error -- which of the two it is must be said
  bindBullmq(queue)
})
