import { inject, isChaosError } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { faultTable, type Content } from '../../test/fault-table.js'
import { corruptEvents } from '../faults/corrupt-events.js'
import { delayEvents } from '../faults/delay-events.js'
import { failListeners } from '../faults/fail-listeners.js'

/** An event with a detail; Node.js 18 has no `CustomEvent` of its own. */
class DetailEvent extends Event {
  readonly detail: unknown
  constructor(type: string, { detail }: { readonly detail: unknown }) {
    super(type)
    this.detail = detail
  }
}

faultTable('EventTarget', () => {
  const target = new EventTarget()
  const got: Content[] = []
  target.addEventListener('orders', (event) => got.push((event as DetailEvent).detail as Content))
  return {
    target,
    name: 'orders',
    publish: (content) => target.dispatchEvent(new DetailEvent('orders', { detail: content })),
    got,
    touched: [target, EventTarget.prototype],
  }
})

describe('an event target with a fault in force', () => {
  it('answers a kept event as one that nobody prevented, and a passing one as in health', async () => {
    const target = new EventTarget()
    target.addEventListener('x', (event) => event.preventDefault())
    const injection = await inject(delayEvents({ delayMs: 60_000, seam: 'publish' }), target, { skip: 1 })
    const event = (): Event => new Event('x', { cancelable: true })
    expect([target.dispatchEvent(event()), target.dispatchEvent(event())]).toEqual([false, true])
    await injection.rollback()
  })

  it('gives listeners another event of the same class, and leaves the dispatched one as it is', async () => {
    const target = new EventTarget()
    const got: Event[] = []
    target.addEventListener('x', (event) => got.push(event))
    const injection = await inject(corruptEvents({ damage: 'set', at: 'id', value: 9 }), target)
    const event = new DetailEvent('x', { detail: { id: 1 } })
    target.dispatchEvent(event)
    await injection.rollback()
    expect(got[0]).toBeInstanceOf(DetailEvent)
    expect([(got[0] as DetailEvent).detail, event.detail]).toEqual([{ id: 9 }, { id: 1 }])
  })

  it('cannot be broken for one subscriber', async () => {
    const refused = await inject(failListeners({ subscriber: 'x' }), new EventTarget()).catch((error: unknown) => error)
    expect(isChaosError(refused, 'CHAOS_TARGET_MISMATCH')).toBe(true)
  })

  it('is damaged though the class of its event cannot be made that way', async () => {
    class OrderEvent extends Event {
      readonly detail: { readonly id: number }
      readonly placedAt: string
      constructor(order: { readonly id: number; readonly placed: { readonly day: string } }) {
        super('order')
        this.detail = order
        this.placedAt = order.placed.day
      }
    }
    const target = new EventTarget()
    const heard: OrderEvent[] = []
    target.addEventListener('order', (event) => heard.push(event as OrderEvent))
    const injection = await inject(corruptEvents({ damage: 'set', at: 'id', value: -1 }), target)
    expect(target.dispatchEvent(new OrderEvent({ id: 7, placed: { day: 'Monday' } }))).toBe(true)
    await injection.rollback()
    expect(heard[0]).toBeInstanceOf(OrderEvent)
    expect(heard).toMatchObject([{ detail: { id: -1 }, placedAt: 'Monday' }])
  })
})
