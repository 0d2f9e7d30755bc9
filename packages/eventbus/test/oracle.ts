import { inject } from '@chaos/core'
import { expect, it, vi } from 'vitest'
import type { BusTarget } from '../src/in-process/bus-target.js'
import { dropEvents } from '../src/faults/drop-events.js'
import { duplicateEvents } from '../src/faults/duplicate-events.js'
import { observeDelivery } from '../src/oracle/observe-delivery.js'

/** A bus that runs, with two subscribers to one name, `billing` and `mail`. */
export interface ObservedBus {
  readonly target: BusTarget
  readonly name: string
  readonly publish: (text: string) => unknown
}

/** Two subscribers, where they are functions. */
export const listeners = { billing: () => undefined, mail: () => undefined } as const

/** Observes a real bus, and judges what it promises: in health, under loss for one subscriber, under repetition. */
export function oracle(make: () => Promise<ObservedBus>): void {
  it('is observed: who got what, and which message broke a guarantee first', async () => {
    const { target, name, publish } = await make()
    // What a machine that is busy makes late is no violation here.
    const observer = await observeDelivery(target, {
      idAt: 'id',
      keyAt: 'customer',
      subscribers: ['billing', 'mail'],
      maxLagMs: 600_000,
    })
    const send = (id: number): unknown => publish(JSON.stringify({ id, customer: 'a' }))
    const arrived = (billing: number, mail: number): Promise<unknown> =>
      vi.waitFor(() => expect(observer.observation.delivered).toEqual({ billing, mail }))
    for (const id of [1, 2, 3]) await send(id)
    await arrived(3, 3)
    observer.assert('exactly-once', 'in-order', 'bounded-lag')
    expect(observer.observation).toMatchObject({ sent: 3, forgotten: 0 })

    const loss = await inject(dropEvents({ subscriber: 'mail' }), target, { only: name, limit: 1 })
    await send(4)
    await arrived(4, 3)
    await send(5)
    await arrived(5, 4)
    await loss.rollback()
    observer.assert('at-most-once', 'in-order')
    expect(observer.violation('at-least-once')).toMatchObject({ subscriber: 'mail', name, id: 4 })

    const repetition = await inject(duplicateEvents(), target, { only: name })
    await send(6)
    await arrived(7, 6)
    await repetition.rollback()
    expect(observer.violation('at-most-once')).toMatchObject({ name, id: 6 })
    await observer.stop()
  })
}
