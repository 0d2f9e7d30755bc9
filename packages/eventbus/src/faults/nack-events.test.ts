import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { brokenBroker, MemoryBroker, memoryBus } from '../../test/memory-broker.js'
import { nackEvents } from './nack-events.js'

describe('nackEvents', () => {
  it('refuses an event again and again, and then lets it go', async () => {
    const { broker, injection, got } = await brokenBroker(nackEvents({ times: 3 }))
    broker.publish('orders', { n: 1 })
    for (let round = 0; round < 5; round += 1) broker.redeliver()
    expect(got()).toEqual(Array(4).fill({ n: 1 }))
    expect(broker.unacked.size + broker.requeued.length).toBe(0)
    expect(injection.account).toMatchObject({ sent: 3, delivered: 3, dropped: 0, held: 0 })
  })

  it('knows an event again by a field, bytes by their content', async () => {
    const { broker, injection } = await brokenBroker(nackEvents({ times: 1, keyAt: 'id' }))
    for (const attempt of [1, 2]) broker.publish('orders', Buffer.from(JSON.stringify({ id: 'a', attempt })))
    broker.publish('orders', Buffer.from(JSON.stringify({ id: 'b' })))
    expect(injection.affected).toBe(2)
    expect(broker.requeued).toHaveLength(2)
  })

  it('ends with its limit, and gives nothing back afterwards', async () => {
    const { broker, injection } = await brokenBroker(nackEvents(), { limit: 2 })
    broker.publish('orders', 1)
    broker.redeliver()
    broker.redeliver()
    expect((await injection.done).outcome).toBe('limit-spent')
    expect(broker.got).toHaveLength(3)
    expect(broker.unacked.size + broker.requeued.length).toBe(0)
  })

  it('refuses a bus whose consumers cannot give a delivery back, and one where nothing is acknowledged', async () => {
    await expect(inject(nackEvents(), memoryBus(new MemoryBroker(), { requeues: false }))).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining('Use eventbus/lose-acks') as string,
    })
    await expect(inject(nackEvents(), new EventEmitter())).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
  })
})
