import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { bindBus } from '../seams/bus.js'
import { lagConsumer } from './lag-consumer.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(lagConsumer({ processingMs: 250, backlog: 10 }))
  void inject(lagConsumer({ processingMs: 250, backlog: 10 }), bindBus({ kind: 'a broker', seams: {} }), {
    only: 'orders.*',
  })
  // @ts-expect-error -- not a bus
  void inject(lagConsumer({ processingMs: 250, backlog: 10 }), new Map())
  // @ts-expect-error -- not its options
  lagConsumer({ order: 'free' })
})
