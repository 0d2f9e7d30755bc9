import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { partitionBus } from './partition-bus.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(partitionBus({ way: 'inbound', messages: 'held' }))
  void inject(partitionBus({ way: 'inbound', messages: 'held' }), new EventEmitter(), { only: 'orders:*' })
  void inject(partitionBus({ way: 'inbound', messages: 'held' }), new EventTarget())
  // @ts-expect-error -- not a bus
  void inject(partitionBus({ way: 'inbound', messages: 'held' }), new Map())
  // @ts-expect-error -- not its options
  partitionBus({ way: 'sideways' })
})
