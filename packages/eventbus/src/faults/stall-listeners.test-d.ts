import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { stallListeners } from './stall-listeners.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(stallListeners({ subscriber: () => undefined }))
  void inject(stallListeners({ subscriber: () => undefined }), new EventEmitter(), { only: 'orders:*' })
  void inject(stallListeners({ subscriber: () => undefined }), new EventTarget())
  // @ts-expect-error -- not a bus
  void inject(stallListeners({ subscriber: () => undefined }), new Map())
  // @ts-expect-error -- not its options
  stallListeners({ seam: 'publish' })
})
