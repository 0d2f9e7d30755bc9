import { EventEmitter } from 'node:events'
import { createChaos, currentScope, inject, withScope, type Fault } from '@chaos/core'
import { areScopesNeeded, needScopes } from '@chaos/core/authoring'
import { manualClock, shapeDifference, shapeOf } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { duplicateEvents } from '../faults/duplicate-events.js'
import { reorderEvents } from '../faults/reorder-events.js'
import type { BusTarget } from '../in-process/bus-target.js'
import { eventScopes } from './event-scopes.js'

async function scene() {
  onTestFinished(needScopes())
  const bus = new EventEmitter()
  const scopes = await eventScopes(bus)
  onTestFinished(() => scopes.stop())
  const seen: unknown[] = []
  bus.on('placed', (id: unknown) => seen.push([id, currentScope()?.path]))
  return { bus, seen, scopes }
}

describe('eventScopes', () => {
  it('opens a scope for each event, nested in that of its publisher', async () => {
    const { bus, seen } = await scene()
    bus.on('placed', () => bus.emit('billed'))
    bus.on('billed', () => seen.push(currentScope()?.path))
    withScope('order 7', () => {
      bus.emit('placed', 1)
      bus.emit('placed', 2)
    })
    bus.emit('placed', 3)
    expect(seen).toEqual([
      [1, 'order 7 > placed'],
      'order 7 > placed > billed',
      [2, 'order 7 > placed #2'],
      'order 7 > placed #2 > billed',
      [3, 'placed'],
      'placed > billed',
    ])
  })

  it.each<readonly [string, Fault<BusTarget>, readonly unknown[]]>([
    ['delays', delayEvents({ delayMs: 10 }), [1, 2]],
    ['repeats', duplicateEvents({ spacingMs: 10 }), [1, 1, 2, 2]],
    ['changes the order of', reorderEvents({ window: 2 }), [2, 1]],
  ])('keeps the scope of an event that a fault %s', async (_, fault, arrived) => {
    const { bus, seen } = await scene()
    const clock = manualClock()
    const injection = await inject(fault, bus, { clock, seed: 'a' })
    for (const id of [1, 2]) withScope(`order ${id}`, () => bus.emit('placed', id))
    await clock.advance(100)
    await injection.rollback()
    expect(seen.map((entry) => (entry as readonly unknown[])[0])).toEqual(arrived)
    for (const [id, path] of seen as (readonly [number, string])[])
      expect(path).toMatch(new RegExp(`^order ${id} > placed( #2)?$`))
  })

  it('lets the events of one test alone be affected, and those of others not wait for them', async () => {
    const { bus, seen } = await scene()
    const clock = manualClock()
    const injections = [
      await inject(delayEvents({ delayMs: 10 }), bus, { clock, scope: 'test 1' }),
      await inject(dropEvents(), bus, { scope: 'test 2 > *' }),
    ]
    for (const number of [1, 2, 3]) withScope(`test ${number}`, () => bus.emit('placed', number))
    expect(seen).toEqual([[3, 'test 3 > placed']])
    await clock.advance(10)
    expect(seen.at(-1)).toEqual([1, 'test 1 > placed'])
    expect(injections.map(({ seen, affected }) => [seen, affected])).toEqual([
      [1, 1],
      [1, 1],
    ])
    for (const injection of injections) await injection.rollback()
  })

  it('is gone after `stopAll`, and back for the next who needs scopes', async () => {
    const { bus, seen } = await scene()
    await createChaos({ environment: 'test' }).stopAll()
    bus.emit('placed', 1)
    onTestFinished(needScopes())
    bus.emit('placed', 2)
    expect(seen).toEqual([
      [1, undefined],
      [2, 'placed'],
    ])
  })

  it('opens none while nobody needs scopes, and leaves the bus as it was', async () => {
    const bus = new EventEmitter()
    const seen: unknown[] = []
    bus.on('placed', () => seen.push(currentScope()))
    const before = shapeOf(bus)
    const scopes = await eventScopes(bus)
    withScope('order 7', () => bus.emit('placed'))
    await scopes.stop()
    expect(seen).toEqual([undefined])
    expect(shapeDifference(before, shapeOf(bus))).toBeUndefined()
    expect(areScopesNeeded()).toBe(false)
  })
})
