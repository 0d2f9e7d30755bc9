import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { throttleEvents } from './throttle-events.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(throttleEvents({ perSecond: 5 }))
  void inject(throttleEvents({ perSecond: 5 }), new EventEmitter(), { only: 'orders:*' })
  void inject(throttleEvents({ perSecond: 5 }), new EventTarget())
  // @ts-expect-error -- not a bus
  void inject(throttleEvents({ perSecond: 5 }), new Map())
  // @ts-expect-error -- not its options
  throttleEvents({})
})
