import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { bindBus } from '../seams/bus.js'
import { nackEvents } from './nack-events.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(
    nackEvents({ times: 3, keyAt: 'order.id', where: (_payload, name) => name === 'orders' }),
  )
  void inject(
    nackEvents({ times: 3, keyAt: 'order.id', where: (_payload, name) => name === 'orders' }),
    bindBus({ kind: 'a broker', seams: {} }),
    { only: 'orders.*' },
  )
  // @ts-expect-error -- not a bus
  void inject(nackEvents({ times: 3, keyAt: 'order.id', where: (_payload, name) => name === 'orders' }), new Map())
  // @ts-expect-error -- not its options
  nackEvents({ times: '3' })
})
