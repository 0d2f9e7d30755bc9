import { delayCalls, refuseCalls } from '@chaos/adapter'
import { inject } from '@chaos/core'
import { hasPrograms, ownRedis } from '@chaos/test-servers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { RedisAdapter } from '../src/storage/redis-adapter.js'
import { ResilientStorage } from '../src/storage/resilient-storage.js'

/** Writes journal entries, one key each, and remembers which were acknowledged. */
class Journalist {
  readonly acknowledged = new Map<string, number>()
  failures = 0
  #written = 0
  readonly #storage: ResilientStorage

  constructor(storage: ResilientStorage) {
    this.#storage = storage
  }

  /** Writes so many entries, all at once, and reads each again as soon as it is acknowledged. */
  async write(count: number): Promise<void> {
    await Promise.all(
      Array.from({ length: count }, async () => {
        const value = (this.#written += 1)
        const key = `mem:${value}`
        try {
          await this.#storage.set(key, value)
        } catch {
          this.failures += 1
          return
        }
        this.acknowledged.set(key, value)
        expect(await this.#storage.get(key)).toBe(value)
      }),
    )
  }
}

describe.runIf(hasPrograms('redis-server'))(
  'redisChaos, with a Redis of its own (skipped without redis-server on PATH: Debian package redis-server)',
  () => {
    it('frozen, then 500 ms late with 2 % failures: the breaker opens, memory serves, nothing acknowledged is lost, it heals', async () => {
      const redis = await ownRedis()
      onTestFinished(() => redis.stop())
      const backend = new RedisAdapter(`redis://127.0.0.1:${redis.port}`)
      const storage = new ResilientStorage(backend)
      const states: string[] = []
      storage.breaker.onChange = (state) => states.push(state)
      await storage.init()
      onTestFinished(() => storage.close())
      const journalist = new Journalist(storage)
      await journalist.write(20)
      expect([states, storage.pendingWrites]).toEqual([[], 0])

      redis.process.kill('SIGSTOP')
      await journalist.write(20)
      expect(states[0]).toBe('open')
      // Memory serves at once now: these would hang for as long as Redis does.
      for (let n = 0; n < 5; n += 1) await journalist.write(20)
      expect(storage.pendingWrites).toBeGreaterThanOrEqual(100)
      expect(journalist.failures).toBe(0)
      expect(await storage.get('mem:1')).toBe(1)
      await vi.waitFor(() => expect(states).toEqual(expect.arrayContaining(['half-open'])))
      redis.process.kill('SIGCONT')
      await healed(storage)

      const late = await inject(delayCalls({ methods: ['get', 'set'], delayMs: 500 }), backend)
      const failing = await inject(refuseCalls({ methods: ['get', 'set'], error: 'ECONNRESET' }), backend, {
        rate: 0.02,
        seed: 1,
      })
      for (let n = 0; n < 4; n += 1) await journalist.write(50)
      expect(late.affected).toBeGreaterThan(0)
      expect(failing.affected).toBeGreaterThan(0)
      await Promise.all([late.rollback(), failing.rollback()])
      await healed(storage)

      await journalist.write(20)
      // A call whose attempts all fail is told so: it is not acknowledged, and not lost either.
      expect(journalist.acknowledged.size + journalist.failures).toBe(360)
      await healed(storage)
      const witness = new RedisAdapter(`redis://127.0.0.1:${redis.port}`)
      await witness.init()
      onTestFinished(() => witness.close())
      for (const [key, value] of journalist.acknowledged) expect(await witness.get(key), key).toBe(value)
    })
  },
)

/** The breaker is closed, and everything that memory took meanwhile has reached Redis. */
async function healed(storage: ResilientStorage): Promise<void> {
  await vi.waitFor(() => expect([storage.breaker.state, storage.pendingWrites]).toEqual(['closed', 0]))
}
