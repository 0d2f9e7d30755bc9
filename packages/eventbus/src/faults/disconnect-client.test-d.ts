import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { assertType, it } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { disconnectClient } from './disconnect-client.js'

it('takes buses and nothing else, and checks options', () => {
  assertType<Fault<BusTarget>>(disconnectClient({ how: 'flapping', intervalMs: 50 }))
  // Whether a bus has a connection shows when it is armed.
  void inject(disconnectClient(), new EventEmitter(), { only: 'subscriber' })
  // @ts-expect-error -- not a bus
  void inject(disconnectClient(), new Map())
  // @ts-expect-error -- not its options
  disconnectClient({ how: 'away' })
})
