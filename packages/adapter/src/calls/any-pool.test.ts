import { inject, withFault, type Fault } from '@chaos/core'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { exhaustPool } from './faults/exhaust-pool.js'

/** A pool with the members of generic-pool: `acquire` answers with a promise, `borrowed` is a getter. */
class Pool {
  readonly #free: object[] = []
  readonly #used = new Set<object>()
  readonly #waiting: ((resource: object) => void)[] = []
  constructor(readonly max: number) {}
  get borrowed(): number {
    return this.#used.size
  }
  acquire(): Promise<object> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#serve()
    })
  }
  release(resource: object): Promise<void> {
    this.#used.delete(resource)
    this.#free.push(resource)
    this.#serve()
    return Promise.resolve()
  }
  #serve(): void {
    while (this.#waiting.length > 0 && this.#used.size < this.max) {
      const resource = this.#free.pop() ?? {}
      this.#used.add(resource)
      this.#waiting.shift()?.(resource)
    }
  }
}

/** A pool with the members of tarn: `acquire` answers with an operation, `numUsed` is a method. */
function tarn(max: number) {
  const pool = new Pool(max)
  return {
    max,
    acquire: () => ({ promise: pool.acquire() }),
    release: (resource: object) => void pool.release(resource),
    numUsed: () => pool.borrowed,
  }
}

describe('a pool that is known by its members', () => {
  it('is exhausted: whoever asks waits until the fault ends, and the pool is bare then', async () => {
    const pool = new Pool(3)
    const injection = await inject(exhaustPool(), pool)
    expect(pool.borrowed).toBe(3)
    let got: object | undefined
    const waiting = pool.acquire().then((resource) => (got = resource))
    await new Promise(setImmediate)
    expect([got, injection.affected]).toEqual([undefined, 1])
    await injection.rollback()
    await pool.release(await waiting)
    expect([pool.borrowed, injection.account, Reflect.ownKeys(pool)]).toEqual([0, { held: 3, returned: 3 }, ['max']])
  })

  it('loses what the application has in use when it comes back', async () => {
    const pool = new Pool(2)
    const used = await pool.acquire()
    await withFault(exhaustPool(), pool, async (injection) => {
      expect(injection.account).toEqual({ held: 1, returned: 0 })
      await pool.release(used)
      await new Promise(setImmediate)
      expect(injection.account).toEqual({ held: 2, returned: 0 })
    })
    expect(pool.borrowed).toBe(0)
  })

  it('may answer with an operation that holds a promise', async () => {
    const pool = tarn(2)
    await withFault(exhaustPool({ leave: 1 }), pool, { rate: 0 }, async (injection) => {
      const resources = await Promise.all([pool.acquire().promise, pool.acquire().promise])
      expect([new Set(resources).size, injection.affected, pool.numUsed()]).toEqual([2, 0, 2])
      resources.forEach(pool.release)
    })
    expect(pool.numUsed()).toBe(0)
  })

  it('is refused with the members that it lacks, or with the binding that fits it', async () => {
    const refused = (target: object): Promise<unknown> =>
      inject(exhaustPool() as Fault<object>, target).catch((error: unknown) => String(error))
    expect(await refused({ getConnection: () => 1 })).toContain('Missing: `acquire()`')
    expect(await refused({ acquire: () => 1, release: () => 1, max: 3 })).toContain(
      'Missing: `borrowed` or `numUsed()`',
    )
    expect(await refused(new pg.Pool())).toContain('`bindPg` of `@chaos/adapter/pg`')
  })
})
