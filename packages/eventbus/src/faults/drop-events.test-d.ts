import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { dropEvents } from './drop-events.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(dropEvents({ where: { 'order.id': 7 }, subscriber: ['a', 'b*'] }))
  void inject(dropEvents({ where: { 'order.id': 7 }, subscriber: ['a', 'b*'] }), new EventEmitter(), {
    only: 'orders:*',
  })
  void inject(dropEvents({ where: { 'order.id': 7 }, subscriber: ['a', 'b*'] }), new EventTarget())
  // @ts-expect-error -- not a bus
  void inject(dropEvents({ where: { 'order.id': 7 }, subscriber: ['a', 'b*'] }), new Map())
  // @ts-expect-error -- not its options
  dropEvents({ seam: 'ack' })
})
