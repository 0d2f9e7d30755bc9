import { setImmediate as turn } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { ConsciousnessEventBus } from './event-bus.js'
import { watchHealth } from './health.js'
import { MemoryAdapter } from './storage/memory-adapter.js'
import { ResilientStorage } from './storage/resilient-storage.js'

/** A store that takes a moment, as a real one does. */
class SlowAdapter extends MemoryAdapter {
  override async set(key: string, value: unknown): Promise<void> {
    await turn()
    await super.set(key, value)
  }
  override async get(key: string): Promise<unknown> {
    await turn()
    return super.get(key)
  }
}

it('is healthy for everybody who asks at the same time', async () => {
  const storage = new ResilientStorage(new SlowAdapter())
  await storage.init()
  const loop = { workers: () => [], isUp: true, hz: 100, skewMs: 0, restarts: 0, stop: () => Promise.resolve() }
  const health = watchHealth(new ConsciousnessEventBus(), storage, loop)
  onTestFinished(async () => {
    health.close()
    await storage.close()
  })
  const reports = [
    health.check(),
    health.checkStorage(),
    turn().then(() => health.check()),
    turn().then(() => health.checkStorage()),
  ]
  expect((await Promise.all(reports)).map(({ isHealthy }) => isHealthy)).toEqual([true, true, true, true])
})
