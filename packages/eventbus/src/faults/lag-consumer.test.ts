import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { brokenBroker } from '../../test/memory-broker.js'
import { lagConsumer, type LagConsumerOptions } from './lag-consumer.js'

describe('lagConsumer', () => {
  it('takes deliveries one after the other, unacknowledged until their turn', async () => {
    const { broker, clock, injection, got } = await brokenBroker(lagConsumer({ processingMs: 100 }))
    for (const n of [1, 2, 3]) broker.publish('orders', n)
    await clock.advance(100)
    expect(got()).toEqual([1])
    expect(broker.unacked.size).toBe(2)
    await clock.advance(100)
    expect(got()).toEqual([1, 2])
    expect(injection.account).toMatchObject({ sent: 3, delivered: 2, held: 1 })
  })

  it('catches up in order when it ends', async () => {
    const { broker, injection, got } = await brokenBroker(lagConsumer({ processingMs: 100 }), { rate: 0.5 })
    const sent = Array.from({ length: 20 }, (_, n) => n)
    for (const n of sent) broker.publish('orders', n)
    await injection.rollback()
    expect(got()).toEqual(sent)
    expect(broker.unacked.size).toBe(0)
  })

  it('holds no more than its backlog: the oldest gets on before its time', async () => {
    const { broker, clock, injection, got } = await brokenBroker(lagConsumer({ processingMs: 100, backlog: 3 }))
    for (let n = 0; n < 50; n += 1) broker.publish('orders', n)
    expect(injection.account).toMatchObject({ sent: 50, delivered: 47, held: 3 })
    // However much came, the rest takes no longer than a full backlog.
    await clock.advance(400)
    expect(got()).toEqual(Array.from({ length: 50 }, (_, n) => n))
  })

  it('refuses a bus where nothing is acknowledged, and options that do not fit', async () => {
    await expect(inject(lagConsumer({ processingMs: 1 }), new EventEmitter())).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
    })
    expect(() => lagConsumer({} as LagConsumerOptions)).toThrow('`processingMs`')
    expect(() => lagConsumer({ processingMs: 1, backlog: 0 })).toThrow('`backlog`')
  })
})
