import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { bindBus } from '../seams/bus.js'
import { redeliverEvents } from './redeliver-events.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(redeliverEvents({ afterMs: 500, subscriber: ['a', 'b*'] }))
  void inject(redeliverEvents({ afterMs: 500, subscriber: ['a', 'b*'] }), bindBus({ kind: 'a broker', seams: {} }), {
    only: 'orders.*',
  })
  // @ts-expect-error -- not a bus
  void inject(redeliverEvents({ afterMs: 500, subscriber: ['a', 'b*'] }), new Map())
  // @ts-expect-error -- not its options
  redeliverEvents({ seam: 'delivery' })
})
