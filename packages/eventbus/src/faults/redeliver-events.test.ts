import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { brokenBroker, MemoryBroker, memoryBus } from '../../test/memory-broker.js'
import { redeliverEvents } from './redeliver-events.js'

describe('redeliverEvents', () => {
  it('delivers each acknowledged event once more, marked as redelivered', async () => {
    const { broker, injection } = await brokenBroker(redeliverEvents())
    broker.publish('orders', 1)
    broker.publish('orders', 2)
    for (let round = 0; round < 3; round += 1) broker.redeliver()
    expect(broker.got.map(({ body, redelivered }) => [body, redelivered])).toEqual([
      [1, false],
      [2, false],
      [1, true],
      [2, true],
    ])
    expect(broker.unacked.size + broker.requeued.length).toBe(0)
    expect(injection.seen).toBe(2)
    expect(injection.account).toMatchObject({ sent: 2, delivered: 2, held: 0 })
  })

  it('delivers it again after a time, or when it ends', async () => {
    const { broker, clock, injection } = await brokenBroker(redeliverEvents({ afterMs: 100 }))
    broker.publish('orders', 1)
    await clock.advance(50)
    broker.publish('orders', 2)
    expect(injection.account).toMatchObject({ held: 2 })
    await clock.advance(50)
    expect(broker.requeued.map(({ body }) => body)).toEqual([1])
    await injection.rollback()
    expect(broker.requeued.map(({ body }) => body)).toEqual([1, 2])
    expect(injection.account).toMatchObject({ sent: 2, delivered: 2, held: 0 })
  })

  it('refuses a bus whose consumers cannot give a delivery back, and one where nothing is acknowledged', async () => {
    for (const bus of [memoryBus(new MemoryBroker(), { requeues: false }), new EventEmitter()]) {
      await expect(inject(redeliverEvents(), bus)).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
    }
  })
})
