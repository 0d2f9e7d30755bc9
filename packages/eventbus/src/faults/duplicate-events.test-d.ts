import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { duplicateEvents } from './duplicate-events.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(duplicateEvents({ copies: 2, spacingMs: 5 }))
  void inject(duplicateEvents({ copies: 2, spacingMs: 5 }), new EventEmitter(), { only: 'orders:*' })
  void inject(duplicateEvents({ copies: 2, spacingMs: 5 }), new EventTarget())
  // @ts-expect-error -- not a bus
  void inject(duplicateEvents({ copies: 2, spacingMs: 5 }), new Map())
  // @ts-expect-error -- not its options
  duplicateEvents({ copies: '2' })
})
