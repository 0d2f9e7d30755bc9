import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { brokenBroker, MemoryBroker, memoryBus } from '../../test/memory-broker.js'
import { observeDelivery } from '../oracle/observe-delivery.js'
import { loseAcks } from './lose-acks.js'

describe('loseAcks', () => {
  it('keeps the broker waiting, and gives back to it what it still keeps when it ends', async () => {
    const { broker, injection, got } = await brokenBroker(loseAcks(), { limit: 2 })
    for (const n of [1, 2, 3]) broker.publish('orders', n)
    expect([...broker.unacked.values()].map(({ body }) => body)).toEqual([1, 2])
    expect(injection.account).toEqual({ sent: 3, duplicated: 0, delivered: 1, dropped: 2, held: 0, failed: 0 })
    await injection.rollback()
    broker.redeliver()
    expect(got()).toEqual([1, 2, 3, 1, 2])
    expect(broker.got.map(({ redelivered }) => redelivered)).toEqual([false, false, false, true, true])
    expect(broker.unacked.size).toBe(0)
  })

  it('gives a message back after a time of its own', async () => {
    const { broker, clock, injection, got } = await brokenBroker(loseAcks({ redeliverAfterMs: 30 }), { limit: 1 })
    broker.publish('orders', 1)
    await clock.advance(29)
    expect(broker.requeued).toEqual([])
    await clock.advance(1)
    expect((await injection.done).outcome).toBe('limit-spent')
    broker.redeliver()
    expect(got()).toEqual([1, 1])
  })

  it('is scoped by topic, payload and consumer', async () => {
    const { broker, injection } = await brokenBroker(loseAcks({ where: { paid: true }, subscriber: 'bill*' }), {
      only: 'orders',
    })
    for (const [topic, paid] of [
      ['orders', true],
      ['orders', false],
      ['news', true],
    ] as const)
      broker.publish(topic, { paid })
    expect(injection.account).toMatchObject({ sent: 1, dropped: 1 })
  })

  it('keeps at-least-once and breaks at-most-once, of which the oracle names the first message', async () => {
    const broker = new MemoryBroker()
    const bus = memoryBus(broker)
    const observer = await observeDelivery(bus, { idAt: 'id' })
    const injection = await inject(loseAcks(), bus, { skip: 1 })
    for (const id of [1, 2, 3]) broker.publish('orders', { id })
    await injection.rollback()
    broker.redeliver()
    expect(observer.violation('at-least-once')).toBeUndefined()
    expect(observer.violation('at-most-once')).toMatchObject({
      subscriber: 'billing',
      name: 'orders',
      id: 2,
      reason: 'arrived 2 times and was sent once',
    })
    await observer.stop()
  })

  it('lets a bus that cannot requeue keep what was not acknowledged', async () => {
    const broker = new MemoryBroker()
    const injection = await inject(loseAcks(), memoryBus(broker, { requeues: false }))
    broker.publish('orders', 1)
    await injection.rollback()
    expect(broker.unacked.size).toBe(1)
    expect(broker.requeued).toEqual([])
  })

  it('refuses a bus where nothing is acknowledged', async () => {
    await expect(inject(loseAcks(), new EventEmitter())).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining('needs acknowledgements, and an event emitter has none') as string,
    })
  })
})
