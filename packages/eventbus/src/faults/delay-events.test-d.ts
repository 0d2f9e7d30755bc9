import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import { delayEvents } from './delay-events.js'

it('takes emitters, plain, derived and typed, and nothing else', () => {
  class Bus extends EventEmitter {}
  interface Events {
    on(name: 'tick', listener: (n: number) => void): this
    emit(name: 'tick', n: number): boolean
  }
  void inject(delayEvents({ delayMs: 5 }), new EventEmitter())
  void inject(delayEvents({ delayMs: 5, order: 'free', seam: 'publish' }), new Bus(), { only: 'journal:*' })
  assertType<Fault<Events>>(delayEvents({ delayMs: 5 }))
  // @ts-expect-error -- not an emitter
  void inject(delayEvents({ delayMs: 5 }), new Map())
})

it('checks options', () => {
  // @ts-expect-error -- delayMs is required
  delayEvents()
  // @ts-expect-error -- no such order
  delayEvents({ delayMs: 5, order: 'kept' })
  // @ts-expect-error -- no such option
  delayEvents({ delayMs: 5, delay: 5 })
})
