import { manualClock } from '@chaos/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { requester } from './bus-request.js'
import { ConsciousnessEventBus } from './event-bus.js'
import { startSpiralMemory } from './spiral-memory.js'
import { MemoryAdapter } from './storage/memory-adapter.js'
import { ResilientStorage } from './storage/resilient-storage.js'

function start() {
  const time = manualClock()
  const storage = new ResilientStorage(new MemoryAdapter(), { time })
  const bus = new ConsciousnessEventBus(() => time.now())
  const stopMemory = startSpiralMemory(bus, storage, time)
  const memory = requester(bus, 'journal', 5_000, time)
  onTestFinished(() => {
    memory.close()
    stopMemory()
  })
  const store = (value: string) => memory.ask('spiral.memory.store', { id: '1', value })
  /** Delivers a request, and returns what is stored then. */
  const deliver = async (request: unknown): Promise<unknown> => {
    bus.emit('spiral.memory.store.request', request)
    await time.advance(0)
    return storage.get('mem:1')
  }
  return { time, bus, store, deliver }
}

it('does a request once that is delivered twice', async () => {
  const { time, bus, store, deliver } = start()
  await store('first')
  const [request] = bus.getEventHistory('spiral.memory.store.request')
  await store('second')
  expect(await deliver(request?.payload)).toBe('second')
  await time.advance(5_000)
  expect(await deliver(request?.payload)).toBe('second')
})

it('does no request that comes when nobody waits for its answer any more', async () => {
  const { time, store, deliver } = start()
  await store('first')
  const late = { id: '1', value: 'late', expiresAt: 5_000 }
  await time.advance(4_999)
  expect(await deliver({ ...late, requestId: 'one' })).toBe('late')
  await store('second')
  await time.advance(1)
  expect(await deliver({ ...late, requestId: 'two' })).toBe('second')
})
