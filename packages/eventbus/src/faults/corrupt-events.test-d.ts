import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { corruptEvents } from './corrupt-events.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(corruptEvents({ damage: 'set', at: 'id', value: null }))
  void inject(corruptEvents({ damage: 'set', at: 'id', value: null }), new EventEmitter(), { only: 'orders:*' })
  void inject(corruptEvents({ damage: 'set', at: 'id', value: null }), new EventTarget())
  // @ts-expect-error -- not a bus
  void inject(corruptEvents({ damage: 'set', at: 'id', value: null }), new Map())
  // @ts-expect-error -- not its options
  corruptEvents({ damage: 'scramble' })
})
