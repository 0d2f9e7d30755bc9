import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { reorderEvents } from './reorder-events.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(reorderEvents({ window: 3, order: 'free' }))
  void inject(reorderEvents({ window: 3, order: 'free' }), new EventEmitter(), { only: 'orders:*' })
  void inject(reorderEvents({ window: 3, order: 'free' }), new EventTarget())
  // @ts-expect-error -- not a bus
  void inject(reorderEvents({ window: 3, order: 'free' }), new Map())
  // @ts-expect-error -- not its options
  reorderEvents({ window: 3, order: 'kept' })
})
