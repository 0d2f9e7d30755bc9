import { inject, type Fault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { expect, it } from 'vitest'
import { corruptEvents } from '../faults/corrupt-events.js'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { duplicateEvents } from '../faults/duplicate-events.js'
import { failListeners } from '../faults/fail-listeners.js'
import type { BusTarget } from '../in-process/bus-target.js'
import { bindBus, type Bus } from './bus.js'
import { methodSeam, type MessageParts } from './method-seam.js'

const broken = (): never => {
  throw new Error('of the binding')
}

/** A bus whose binding throws in one of its parts. */
function failing(part: keyof MessageParts): {
  send(content: unknown): string
  readonly bus: Bus
  readonly got: unknown[]
} {
  const got: unknown[] = []
  const client = {
    send(content: unknown): string {
      got.push(content)
      return 'sent'
    },
  }
  const delivery = methodSeam<readonly [content: unknown]>({
    object: client,
    method: 'send',
    name: () => 'send',
    read: ([payload]) => ({ payload, withPayload: (other) => [other], answer: () => 'sent', [part]: broken }),
  })
  return { send: (content) => client.send(content), got, bus: bindBus({ kind: 'a test bus', seams: { delivery } }) }
}

const faults: readonly [string, () => Fault<BusTarget>][] = [
  ['delay', () => delayEvents({ delayMs: 100 })],
  ['drop', () => dropEvents()],
  ['duplicate', () => duplicateEvents({ copies: 1, spacingMs: 10 })],
  ['corrupt', () => corruptEvents({ damage: 'set', at: 'id', value: 9 })],
  ['fail', () => failListeners({ subscriber: 'nobody' })],
]
const parts = ['snapshot', 'copy', 'isGone', 'lose', 'loseLate', 'answer', 'withPayload', 'deliveries'] as const

it.each(parts.flatMap((part) => faults.map(([name, fault]) => ({ part, name, fault }))))(
  'keeps an error of `$part` out of the call that $name affects, and the account balanced',
  async ({ part, name, fault }) => {
    const { send, bus, got } = failing(part)
    const clock = manualClock()
    const injection = await inject(fault(), name === 'fail' ? { ...bus, knowsSubscribers: true } : bus, { clock })
    expect(() => send({ id: 1 })).not.toThrow()
    expect(() => send({ id: 2 })).not.toThrow()
    await clock.advance(100)
    await injection.rollback()
    const { sent = 0, duplicated = 0, delivered = 0, dropped = 0, held = 0 } = injection.account
    expect([held, sent + duplicated]).toEqual([0, delivered + dropped])
    if (name === 'fail') expect(got).toEqual([{ id: 1 }, { id: 2 }])
  },
)
