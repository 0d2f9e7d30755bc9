import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { failListeners } from './fail-listeners.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(failListeners({ how: 'reject', makeError: () => new RangeError('x') }))
  void inject(failListeners({ how: 'reject', makeError: () => new RangeError('x') }), new EventEmitter(), {
    only: 'orders:*',
  })
  void inject(failListeners({ how: 'reject', makeError: () => new RangeError('x') }), new EventTarget())
  // @ts-expect-error -- not a bus
  void inject(failListeners({ how: 'reject', makeError: () => new RangeError('x') }), new Map())
  // @ts-expect-error -- not its options
  failListeners({ makeError: 'x' })
})
