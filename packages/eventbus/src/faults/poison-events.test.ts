import { inject } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { broken } from '../../test/emitter-contract.js'
import { MemoryBroker, memoryBus } from '../../test/memory-broker.js'
import { poisonEvents } from './poison-events.js'

describe('poisonEvents', () => {
  const attempt = (bus: { emit(name: string, payload: unknown): boolean }, payload: unknown): boolean => {
    try {
      return bus.emit('tick', payload)
    } catch {
      return false
    }
  }

  it('fails the nth event again and again, and no other', async () => {
    const { bus, got, injection } = await broken(poisonEvents({ nth: 2, keyAt: 'id' }))
    const attempts = [1, 2, 3, 2, 2, 4].map((id) => attempt(bus, { id }))
    expect(attempts).toEqual([true, false, true, false, false, true])
    expect(got).toEqual([{ id: 1 }, { id: 3 }, { id: 4 }])
    expect(injection.account).toMatchObject({ sent: 3, failed: 3 })
  })

  it('knows bytes again by their content', async () => {
    const { bus } = await broken(poisonEvents())
    expect(['a', 'b', 'a'].map((text) => attempt(bus, Buffer.from(text)))).toEqual([false, true, false])
  })

  it('heals after so many attempts', async () => {
    const { bus, got, injection } = await broken(poisonEvents(), { limit: 2 })
    expect([attempt(bus, 7), attempt(bus, 7)]).toEqual([false, false])
    expect((await injection.done).outcome).toBe('limit-spent')
    expect(attempt(bus, 7)).toBe(true)
    expect(got).toEqual([7])
  })

  it('knows what a broker delivers again by its content', async () => {
    const broker = new MemoryBroker()
    const injection = await inject(poisonEvents(), memoryBus(broker))
    expect(() => broker.publish('orders', { id: 1 })).toThrow('The listener failed.')
    broker.publish('orders', { id: 2 })
    for (const delivery of broker.unacked.values()) broker.nack(delivery)
    expect(() => broker.redeliver()).toThrow('The listener failed.')
    expect(injection.affected).toBe(2)
    await injection.rollback()
  })

  it('has a poison for each name', async () => {
    const { bus } = await broken(poisonEvents({ nth: 2 }))
    bus.on('tock', () => undefined)
    expect([attempt(bus, 1), bus.emit('tock', 1), attempt(bus, 2)]).toEqual([true, true, false])
    expect(() => bus.emit('tock', 9)).toThrow('The listener failed.')
  })
})
