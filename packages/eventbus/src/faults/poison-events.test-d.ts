import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { poisonEvents } from './poison-events.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(poisonEvents({ nth: 3, keyAt: 'id' }))
  void inject(poisonEvents({ nth: 3, keyAt: 'id' }), new EventEmitter(), { only: 'orders:*' })
  void inject(poisonEvents({ nth: 3, keyAt: 'id' }), new EventTarget())
  // @ts-expect-error -- not a bus
  void inject(poisonEvents({ nth: 3, keyAt: 'id' }), new Map())
  // @ts-expect-error -- not its options
  poisonEvents({ nth: 'third' })
})
