import { EventEmitter } from 'node:events'
import { inject, type Fault } from '@chaos/core'
import { manualClock, shapeDifference, shapeOf, type ManualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BusTarget } from '../in-process/bus-target.js'
import { corruptEvents } from '../faults/corrupt-events.js'
import { delayEvents } from '../faults/delay-events.js'
import { dropEvents } from '../faults/drop-events.js'
import { duplicateEvents } from '../faults/duplicate-events.js'
import { reorderEvents } from '../faults/reorder-events.js'
import type { Guarantee } from './ledger.js'
import { observeDelivery, type DeliveryObserver, type ObserveDeliveryOptions } from './observe-delivery.js'

async function observed(options: ObserveDeliveryOptions = {}): Promise<{
  bus: EventEmitter
  clock: ManualClock
  observer: DeliveryObserver
  arm: (fault: Fault<BusTarget>, how?: object) => Promise<void>
}> {
  const clock = manualClock()
  const bus = new EventEmitter().on('order', function onBilling() {
    // Takes its time elsewhere.
  })
  const observer = await observeDelivery(bus, options, { clock })
  onTestFinished(() => observer.stop())
  return {
    bus,
    clock,
    observer,
    arm: async (fault, how = {}) => {
      const injection = await inject(fault, bus, { ...how, clock })
      onTestFinished(async () => {
        await injection.rollback()
      })
    },
  }
}
const GUARANTEES: readonly Guarantee[] = ['at-most-once', 'at-least-once', 'exactly-once', 'in-order', 'bounded-lag']
const violatedBy = (observer: DeliveryObserver): Guarantee[] =>
  GUARANTEES.filter((guarantee) => observer.violation(guarantee) !== undefined)

describe('observeDelivery', () => {
  it('names a lost message that JSON cannot show', async () => {
    const { bus, observer, arm } = await observed()
    await arm(dropEvents())
    const circle: { self?: unknown } = {}
    circle.self = circle
    bus.emit('order', circle)
    expect(() => observer.assert('at-least-once')).toThrow(
      /^Expected at-least-once delivery of `order` to onBilling; the message with the id an unreadable value never arrived/,
    )
  })

  it('finds nothing wrong with a healthy bus, and leaves it as it was', async () => {
    const bus = new EventEmitter().on('order', () => undefined)
    const before = shapeOf(bus)
    const observer = await observeDelivery(bus)
    for (let id = 0; id < 10; id += 1) bus.emit('order', { id })
    bus.emit('nobody listens', 1)
    expect(violatedBy(observer)).toEqual([])
    expect(observer.observation).toMatchObject({ sent: 11, delivered: { '': 10 }, forgotten: 0 })
    await observer.stop()
    expect(shapeDifference(before, shapeOf(bus))).toBeUndefined()
    bus.emit('order', { id: 11 })
    expect(observer.observation.sent).toBe(11)
  })

  it.each<[string, Fault<BusTarget>, object, Guarantee[], number]>([
    ['a lost message', dropEvents(), { skip: 3, limit: 1 }, ['at-least-once', 'exactly-once', 'bounded-lag'], 3],
    [
      'a lost message of one subscriber',
      dropEvents({ subscriber: 'onBilling' }),
      { skip: 3, limit: 1 },
      ['at-least-once', 'exactly-once', 'bounded-lag'],
      3,
    ],
    ['a repeated message', duplicateEvents(), { skip: 2, limit: 1 }, ['at-most-once', 'exactly-once'], 2],
    ['messages that changed places', reorderEvents({ window: 2 }), { skip: 4, limit: 2 }, ['in-order'], 4],
    [
      'a message that is late',
      delayEvents({ delayMs: 2_000, order: 'free' }),
      { skip: 5, limit: 1 },
      ['in-order', 'bounded-lag'],
      5,
    ],
  ])('names the first of %s', async (_what, fault, how, guarantees, id) => {
    const { bus, clock, observer, arm } = await observed({ idAt: 'id' })
    await arm(fault, how)
    for (let n = 0; n < 10; n += 1) bus.emit('order', { id: n })
    await clock.advance(3_000)
    expect(violatedBy(observer)).toEqual(guarantees)
    for (const guarantee of guarantees)
      expect(observer.violation(guarantee)).toMatchObject({ guarantee, subscriber: 'onBilling', name: 'order', id })
  })

  it('sees what is still under way as late, and as lost when it is asked for that', async () => {
    const { bus, clock, observer, arm } = await observed({ maxLagMs: 100 })
    await arm(delayEvents({ delayMs: 1_000 }))
    bus.emit('order', 1)
    await clock.advance(100)
    expect(violatedBy(observer)).toEqual(['at-least-once', 'exactly-once'])
    await clock.advance(1)
    expect(observer.violation('bounded-lag')?.reason).toBe('has not arrived after 101 ms')
    await clock.advance(900)
    expect(violatedBy(observer)).toEqual(['bounded-lag'])
    expect(observer.observation.maxLagMs).toBe(1_000)
  })

  it('judges order per key', async () => {
    const { bus, observer, arm } = await observed({ idAt: 'id', keyAt: 'customer' })
    await arm(reorderEvents({ window: 2 }), { limit: 2 })
    bus.emit('order', { id: 1, customer: 'a' })
    bus.emit('order', { id: 2, customer: 'b' })
    expect(observer.violation('in-order')).toBeUndefined()
    await arm(reorderEvents({ window: 2 }), { limit: 2 })
    bus.emit('order', { id: 3, customer: 'a' })
    bus.emit('order', { id: 4, customer: 'a' })
    expect(observer.violation('in-order')).toMatchObject({ id: 3 })
  })

  it('throws in tests, answers as a probe, and knows equal messages that were sent twice', async () => {
    const { bus, observer, arm } = await observed()
    const holds = observer.probe('at-most-once')
    bus.emit('order', 'same')
    bus.emit('order', 'same')
    expect(holds()).toBe(true)
    observer.assert(...GUARANTEES)
    await arm(duplicateEvents(), { limit: 1 })
    bus.emit('order', 'other')
    expect(holds()).toBe(false)
    expect(() => observer.assert('in-order', 'exactly-once')).toThrow(
      expect.objectContaining({
        code: 'CHAOS_DELIVERY_VIOLATED',
        message: expect.stringContaining('the message with the id other arrived 2 times and was sent once') as string,
      }),
    )
  })

  it('takes a damaged message for a lost one, and what arrives for one that was sent elsewhere', async () => {
    const { bus, observer, arm } = await observed({ idAt: 'id' })
    await arm(corruptEvents({ damage: 'set', at: 'id', value: 'x' }), { limit: 1 })
    bus.emit('order', { id: 1 })
    expect(violatedBy(observer)).toEqual(['at-least-once', 'exactly-once'])
  })

  it('is told what no seam shows, and forgets the oldest', async () => {
    const { observer } = await observed({ messages: 2 })
    observer.sent('mail', 1)
    observer.received('mail', '1', 'inbox')
    for (const id of [2, 3, 4]) {
      observer.sent('mail', id)
      observer.received('mail', id, 'inbox')
    }
    expect(observer.observation).toMatchObject({ sent: 4, delivered: { inbox: 4 }, forgotten: 3 })
    expect(violatedBy(observer)).toEqual([])
  })

  it('stays above faults that are armed later, several at once, and records each message once', async () => {
    const { bus, observer, arm } = await observed()
    await Promise.all([
      arm(dropEvents(), { rate: 0.5, seed: 1 }),
      arm(duplicateEvents({ seam: 'publish' }), { rate: 0.5, seed: 1 }),
      arm(dropEvents({ seam: 'publish' }), { rate: 0.5, seed: 2 }),
    ])
    for (let id = 0; id < 100; id += 1) bus.emit('order', id)
    expect(observer.observation.sent).toBe(100)
  })

  it('refuses options that are none', async () => {
    await expect(observeDelivery(new EventEmitter(), { maxLag: 1 } as never)).rejects.toThrow(
      'Did you mean "maxLagMs"?',
    )
  })
})
