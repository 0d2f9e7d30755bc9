import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { bindBus } from '../seams/bus.js'
import { loseAcks } from './lose-acks.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(loseAcks({ redeliverAfterMs: 500, where: { 'order.id': 7 }, subscriber: 'billing' }))
  void inject(
    loseAcks({ redeliverAfterMs: 500, where: { 'order.id': 7 }, subscriber: 'billing' }),
    bindBus({ kind: 'a broker', seams: {} }),
    { only: 'orders.*' },
  )
  // @ts-expect-error -- not a bus
  void inject(loseAcks({ redeliverAfterMs: 500, where: { 'order.id': 7 }, subscriber: 'billing' }), new Map())
  // @ts-expect-error -- not its options
  loseAcks({ seam: 'delivery' })
})
