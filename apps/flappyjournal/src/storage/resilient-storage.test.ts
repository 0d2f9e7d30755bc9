import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { failAfterCall, hangCalls, refuseCalls } from '@chaos/adapter'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { CircuitBreaker } from './circuit-breaker.js'
import { LevelAdapter } from './level-adapter.js'
import { MemoryAdapter } from './memory-adapter.js'
import { RedisAdapter } from './redis-adapter.js'
import { ResilientStorage } from './resilient-storage.js'

async function open(
  backend = new MemoryAdapter(),
  hasFallback = true,
): Promise<{ storage: ResilientStorage; backend: MemoryAdapter }> {
  const storage = new ResilientStorage(backend, { resetMs: 20, timeoutMs: 200, retryPauseMs: 0, hasFallback })
  await storage.init()
  onTestFinished(() => storage.close())
  return { storage, backend }
}

describe('ResilientStorage', () => {
  it('serves from memory while the backend is down, replays when it is back, and loses nothing that was acknowledged', async () => {
    const { storage, backend } = await open()
    await storage.set('a', 1)
    await withFault(refuseCalls(), backend, async () => {
      await storage.set('b', 1).catch(() => undefined)
      await storage.set('b', 2)
      expect(storage.breaker.state).not.toBe('closed')
      await storage.set('a', 3)
      await storage.del('b')
      await storage.set('c', 4)
      expect([await storage.get('a'), await storage.get('b'), await storage.get('c')]).toEqual([3, undefined, 4])
      expect((await storage.keys('')).sort()).toEqual(['a', 'c'])
    })
    await vi.waitFor(() => expect(storage.pendingWrites).toBe(0))
    expect([await backend.get('a'), await backend.get('b'), await backend.get('c')]).toEqual([3, undefined, 4])
    expect(storage.breaker.state).toBe('closed')
  })

  it.each([true, false])(
    'answers a read whose attempts all failed from memory, though the breaker is closed (fallback: %s)',
    async (hasFallback) => {
      const { storage, backend } = await open(undefined, hasFallback)
      await storage.set('a', 1)
      await withFault(refuseCalls(), backend, async () => {
        const read = storage.get('a')
        if (hasFallback) expect(await read).toBe(1)
        else await expect(read).rejects.toThrow('Storage is unavailable.')
        expect(storage.breaker.state).toBe('closed')
      })
    },
  )

  it('finds in memory what it has read from the backend, though the write of it had failed', async () => {
    const { storage, backend } = await open()
    await withFault(failAfterCall(), backend, { only: 'set' }, async () => {
      await expect(storage.set('a', 1)).rejects.toThrow('Storage is unavailable.')
    })
    expect(await storage.get('a')).toBe(1)
    await withFault(refuseCalls(), backend, async () => {
      expect(await storage.get('a')).toBe(1)
    })
  })

  it('puts right what a write that timed out overwrites when it reaches the backend late', async () => {
    const time = manualClock()
    const backend = new MemoryAdapter()
    const storage = new ResilientStorage(backend, { time })
    await storage.init()
    onTestFinished(() => storage.close())
    const hung = await inject(hangCalls(), backend, { only: 'set', limit: 1 })
    const first = storage.set('a', 1)
    await time.advance(1_100)
    await first
    // The breaker closes, and the write is replayed.
    await time.advance(3_000)
    expect([storage.breaker.state, storage.pendingWrites, await backend.get('a')]).toEqual(['closed', 0, 1])
    await storage.set('a', 2)
    await hung.rollback()
    await time.advance(0)
    expect([await backend.get('a'), await storage.get('a')]).toEqual([1, 2])
    await time.advance(100)
    expect([storage.pendingWrites, await backend.get('a'), await storage.get('a')]).toEqual([0, 2, 2])
  })

  it('never loses or reorders an acknowledged write, whatever comes in between', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), key: fc.constantFrom('a', 'b'), value: fc.nat() }),
      fc.record({ do: fc.constant('del' as const), key: fc.constantFrom('a', 'b') }),
      fc.record({ do: fc.constant('down' as const), isDown: fc.boolean() }),
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 30 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        class Flaky extends MemoryAdapter {
          isDown = false
          override async get(key: string): Promise<unknown> {
            if (this.isDown) throw new Error('down')
            return super.get(key)
          }
          override async set(key: string, value: unknown): Promise<void> {
            if (this.isDown) throw new Error('down')
            await super.set(key, value)
          }
          override async del(key: string): Promise<void> {
            if (this.isDown) throw new Error('down')
            await super.del(key)
          }
        }
        const backend = new Flaky()
        const storage = new ResilientStorage(backend, { resetMs: 5, retryPauseMs: 0, threshold: 2 })
        await storage.init()
        const expected = new Map<string, number | undefined>()
        for (const action of steps) {
          if (action.do === 'down') backend.isDown = action.isDown
          else if (action.do === 'wait') await new Promise((resolve) => setTimeout(resolve, action.ms))
          else {
            const value = action.do === 'set' ? action.value : undefined
            const written = action.do === 'set' ? storage.set(action.key, value) : storage.del(action.key)
            await written.then(
              () => expected.set(action.key, value),
              () => undefined,
            )
          }
        }
        backend.isDown = false
        await vi.waitFor(() => expect([storage.pendingWrites, storage.breaker.state === 'open']).toEqual([0, false]))
        for (const [key, value] of expected) expect(await backend.get(key)).toEqual(value)
        await storage.close()
      }),
      { numRuns: 25 },
    )
  })

  it('hides one failure in five behind retries, and keeps the breaker closed', async () => {
    const { storage, backend } = await open()
    await withFault(refuseCalls({ methods: ['get', 'set'] }), backend, { every: 5 }, async () => {
      for (let n = 0; n < 50; n += 1) {
        await storage.set(`key ${n}`, n)
        expect(await storage.get(`key ${n}`)).toBe(n)
      }
    })
    expect(storage.breaker.state).toBe('closed')
  })

  it('opens at once for a backend that does not answer', async () => {
    class Hanging extends MemoryAdapter {
      override get(): Promise<unknown> {
        return new Promise(() => undefined)
      }
    }
    const { storage } = await open(new Hanging())
    await storage.get('a')
    expect(storage.breaker.state).not.toBe('closed')
  })

  it('does not take back what was acknowledged when a write that was given up succeeds after all', async () => {
    let finish = (): void => undefined
    class Late extends MemoryAdapter {
      isLate = false
      override async set(key: string, value: unknown): Promise<void> {
        if (this.isLate) await new Promise<void>((resolve) => (finish = resolve))
        await super.set(key, value)
      }
    }
    const backend = new Late()
    const { storage } = await open(backend)
    backend.isLate = true
    await storage.set('a', 'old')
    expect(storage.breaker.state).not.toBe('closed')
    await storage.set('a', 'new')
    backend.isLate = false
    finish()
    await vi.waitFor(() => expect(storage.pendingWrites).toBe(0))
    await withFault(refuseCalls(), backend, async () => {
      await vi.waitFor(async () => {
        await storage.get('a').catch(() => undefined)
        expect(storage.breaker.state).not.toBe('closed')
      })
      expect(await storage.get('a')).toBe('new')
    })
  })

  it('says that it is unavailable where it has no fallback', async () => {
    const { storage, backend } = await open(new MemoryAdapter(), false)
    await withFault(refuseCalls(), backend, async () => {
      for (let n = 0; n < 3; n += 1)
        await expect(storage.get('a')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
    })
  })

  it('does not show a write that failed', async () => {
    const { storage, backend } = await open(new MemoryAdapter(), false)
    await storage.set('a', 1)
    await withFault(refuseCalls({ methods: 'set' }), backend, () => expect(storage.set('a', 2)).rejects.toThrow())
    await vi.waitFor(async () => expect(await storage.get('a')).toBe(1))
  })
})

describe('CircuitBreaker', () => {
  it('opens after failures in a row, tries again after a while, and closes on one success', () => {
    let now = 0
    const states: string[] = []
    const breaker = new CircuitBreaker({ threshold: 3, resetMs: 100, now: () => now })
    breaker.onChange = (state) => states.push(state)
    breaker.failed(false)
    breaker.failed(false)
    breaker.succeeded()
    for (let n = 0; n < 3; n += 1) breaker.failed(false)
    expect([breaker.tryHalfOpen(), breaker.state]).toEqual([false, 'open'])
    now = 100
    expect([breaker.tryHalfOpen(), breaker.tryHalfOpen()]).toEqual([true, false])
    breaker.failed(false)
    expect(breaker.state).toBe('open')
    now = 200
    breaker.tryHalfOpen()
    breaker.succeeded()
    expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed'])
  })
})

const redisUrl = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379'
const hasRedis = await (async () => {
  const adapter = new RedisAdapter(redisUrl)
  return adapter
    .init()
    .then(
      () => true,
      () => process.env['CHAOS_REQUIRE_SERVICES'] === 'all',
    )
    .finally(() => adapter.close())
})()

describe.each([
  ['memory', true, () => Promise.resolve(new MemoryAdapter())],
  [
    'level',
    true,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'flappy-level-'))
      onTestFinished(() => rm(folder, { recursive: true, force: true }))
      return new LevelAdapter(folder)
    },
  ],
  [
    'redis (skipped without a server at 127.0.0.1:6379 or REDIS_URL: Debian package redis-server)',
    hasRedis,
    () => Promise.resolve(new RedisAdapter(redisUrl, `flappy-test-${process.pid}:`)),
  ],
] as const)('the %s adapter', (_name, isThere, make) => {
  it.runIf(isThere)('keeps JSON, takes a missing key for undefined, and lists by prefix', async () => {
    const adapter = await make()
    await adapter.init()
    await adapter.set('mem:a*', { tags: ['x'] })
    await adapter.set('mem:b', 'text')
    await adapter.set('other', 1)
    expect(await adapter.get('mem:a*')).toEqual({ tags: ['x'] })
    expect(await adapter.get('nothing')).toBeUndefined()
    expect((await adapter.keys('mem:')).sort()).toEqual(['mem:a*', 'mem:b'])
    for (const key of await adapter.keys('')) await adapter.del(key)
    await adapter.del('nothing')
    expect(await adapter.keys('')).toEqual([])
    await adapter.close()
  })
})
