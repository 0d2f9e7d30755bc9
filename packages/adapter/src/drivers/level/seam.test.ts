import { inject, injectedBy, withFault } from '@chaos/core'
import { faultContract, manualClock } from '@chaos/core/testing'
import { Level } from 'level'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { expectObserved } from '../../../test/observed-writes.js'
import { rejection } from '../../../test/rejection.js'
import {
  corruptResults,
  delayCalls,
  duplicateWrites,
  failAfterCall,
  flapCalls,
  hangCalls,
  limitRate,
  loseWrites,
  refuseCalls,
  serveStaleReads,
  timeOutCalls,
} from '../../calls/index.js'
import { bindLevel } from './seam.js'

let folder: string
let db: Level

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaos-level-'))
  db = new Level(folder)
  await db.open()
})
afterAll(async () => {
  await db.close()
  await rm(folder, { recursive: true })
})
beforeEach(() => db.clear())

for (const [what, target] of [
  ['a database', () => bindLevel(db)],
  ['a class', () => bindLevel(Level)],
] as const) {
  const contract = faultContract({
    fault: () => refuseCalls({ methods: 'get' }),
    target,
    async exercise(_target, times) {
      for (let n = 0; n < times; n += 1) await db.get('key').catch(() => undefined)
    },
    touched: () => [db, Level.prototype],
  })
  for (const { title, run } of contract) it(`with ${what}, keeps the contract: ${title}`, run)
}

it('lets a database be observed, beneath no fault', () =>
  expectObserved(
    () => bindLevel(db),
    'put',
    () => db.put('a', '1'),
  ))

describe('the operations of level', () => {
  it('refuses by name, sublevels included, and nothing reaches the store', async () => {
    const users = db.sublevel<string, { name: string }>('users', { valueEncoding: 'json' })
    await withFault(
      refuseCalls({ methods: ['put', 'batch'], error: 'fs/enospc' }),
      bindLevel(db),
      async (injection) => {
        const errors = await Promise.all([
          rejection(db.put('key', 'value')),
          rejection(db.batch([{ type: 'put', key: 'a', value: '1' }])),
          rejection(db.batch().put('b', '2').write()),
          rejection(users.put('anna', { name: 'Anna' })),
        ])
        for (const error of errors) {
          expect(error).toMatchObject({ code: 'ENOSPC' })
          expect(injectedBy(error)).toBe('adapter/refuse-calls')
        }
        expect(await db.get('key')).toBeUndefined()
        expect([injection.seen, injection.affected]).toEqual([4, 4])
      },
    )
    expect(await db.keys().all()).toEqual([])
    await users.put('anna', { name: 'Anna' })
    expect(await db.keys().all()).toEqual(['!users!anna'])
  })

  it('breaks all databases of the class, and chooses by key', async () => {
    await withFault(
      refuseCalls({ methods: 'put', message: 'refused' }),
      bindLevel(Level),
      { only: (args) => String(args[0]) === 'a' },
      async () => {
        await expect(db.put('a', '1')).rejects.toThrow('refused')
        await db.put('b', '2')
      },
    )
    expect(await db.keys().all()).toEqual(['b'])
  })

  it('does it and fails, forgets, repeats, damages, and answers with what was', async () => {
    await withFault(failAfterCall({ methods: 'put', error: 'fs/eio' }), bindLevel(db), () =>
      expect(db.put('key', 'abcd')).rejects.toMatchObject({ code: 'EIO' }),
    )
    expect(await db.get('key')).toBe('abcd')
    await withFault(loseWrites({ methods: ['put', 'batch'] }), bindLevel(db), async () => {
      await db.put('lost', '1')
      await db.batch().put('lost', '2').write()
    })
    expect(await db.get('lost')).toBeUndefined()
    const put = vi.spyOn(db as unknown as { _put: () => Promise<void> }, '_put')
    await withFault(duplicateWrites({ methods: 'put' }), bindLevel(db), () => db.put('twice', '1'))
    expect(put).toHaveBeenCalledTimes(2)
    put.mockRestore()
    await withFault(corruptResults({ methods: 'get' }), bindLevel(db), async () =>
      expect(await db.get('key')).toBe('ab'),
    )
    await withFault(serveStaleReads({ methods: 'get' }), bindLevel(db), async () => {
      expect(await db.get('key')).toBe('abcd')
      await db.put('key', 'new')
      expect(await db.get('key')).toBe('abcd')
    })
    const json = db.sublevel<string, unknown>('json', { valueEncoding: 'json' })
    await json.put('key', { text: 'abcd' })
    await withFault(corruptResults({ methods: 'get' }), bindLevel(db), () =>
      expect(json.get('key')).rejects.toMatchObject({ code: 'LEVEL_DECODE_ERROR' }),
    )
  })

  it('breaks iterators at their readings, and they are closed', async () => {
    await db.batch([1, 2, 3, 4].map((n) => ({ type: 'put', key: `key-${n}`, value: String(n) })))
    const read = async (): Promise<string[]> => {
      const keys: string[] = []
      for await (const [key] of db.iterator()) keys.push(key)
      return keys
    }
    await withFault(refuseCalls({ methods: 'iterator', error: 'fs/eio' }), bindLevel(db), async () => {
      await expect(read()).rejects.toMatchObject({ code: 'EIO' })
      await expect(db.iterator().all()).rejects.toMatchObject({ code: 'EIO' })
      expect(await db.keys().all()).toHaveLength(4)
    })
    await withFault(
      refuseCalls({ methods: 'iterator', message: 'broken' }),
      bindLevel(db),
      { skip: 2 },
      async (injection) => {
        await expect(read()).rejects.toThrow('broken')
        expect([injection.seen, injection.affected]).toEqual([3, 1])
      },
    )
    await withFault(delayCalls({ methods: ['keys', 'values'], delayMs: 1 }), bindLevel(db), async (injection) => {
      expect(await db.keys().all()).toHaveLength(4)
      expect(await db.values({ limit: 2 }).nextv(2)).toEqual(['1', '2'])
      expect(injection.affected).toBe(2)
    })
    await withFault(corruptResults({ methods: 'values' }), bindLevel(db), async () =>
      expect(await db.values().all()).toEqual(['1', '2']),
    )
    expect(await read()).toHaveLength(4)
  })

  it('leaves nothing behind on iterators and batches that are still open when it ends', async () => {
    const open = await withFault(refuseCalls({ methods: 'batch' }), bindLevel(db), () =>
      Promise.resolve([db.iterator(), db.keys(), db.batch()]),
    )
    for (const object of open) {
      for (const key of ['_next', '_nextv', '_all', '_write']) expect(Object.hasOwn(object, key)).toBe(false)
      await object.close()
    }
  })

  it('waits: delay, time out, hang', async () => {
    const clock = manualClock()
    const delay = await inject(delayCalls({ delayMs: 100, methods: 'put' }), bindLevel(db), { clock })
    const written = db.put('key', '1')
    expect(await db.get('key')).toBeUndefined()
    await clock.advance(100)
    await written
    expect(await db.get('key')).toBe('1')
    await delay.rollback()
    const timeOut = await inject(timeOutCalls({ timeoutMs: 50 }), bindLevel(db), { clock })
    const error = rejection(db.get('key'))
    await clock.advance(50)
    expect(await error).toMatchObject({ code: 'ETIMEDOUT' })
    await timeOut.rollback()
    const hang = await inject(hangCalls({ methods: 'get' }), bindLevel(db))
    const value = db.get('key')
    await hang.rollback()
    expect(await value).toBe('1')
  })

  it.each([
    ['hang', hangCalls({ methods: 'iterator' })],
    ['delay', delayCalls({ delayMs: 60_000, methods: 'iterator' })],
    ['time out', timeOutCalls({ timeoutMs: 60_000, methods: 'iterator' })],
  ])('ends a %s when the signal of an iterator aborts, as level says it', async (_what, fault) => {
    const aborted = new AbortController()
    aborted.abort()
    const real = await rejection(db.iterator({ signal: aborted.signal }).next())
    await withFault(fault, bindLevel(db), async () => {
      const controller = new AbortController()
      const error = rejection(db.iterator({ signal: controller.signal }).next())
      controller.abort()
      expect(await error).toEqual(real)
      expect(await error).toMatchObject({ name: real.name, code: 'LEVEL_ABORTED' })
      expect((await error).constructor).toBe(real.constructor)
    })
  })

  it('flaps, and limits the rate', async () => {
    const clock = manualClock()
    const flap = await inject(flapCalls({ downMs: 10, upMs: 10 }), bindLevel(db), { clock })
    await expect(db.get('key')).rejects.toThrow('ECONNREFUSED')
    await clock.advance(10)
    expect(await db.get('key')).toBeUndefined()
    await flap.rollback()
    await withFault(limitRate({ calls: 1, perMs: 60_000 }), bindLevel(db), async () => {
      await db.get('key')
      await expect(db.get('key')).rejects.toThrow('Too Many Requests')
    })
  })

  it.each([
    [{}, 'an object of class Object'],
    [Map, 'the function `Map`'],
  ])('binds no other object: %o', (value, words) => {
    expect(() => bindLevel(value as unknown as Level)).toThrow(
      `Expected a database of level (abstract-level 2 and up), or its class, got ${words}`,
    )
  })

  it('refuses names that are no operations', async () => {
    await expect(inject(refuseCalls({ methods: 'putt' }), bindLevel(db))).rejects.toThrow('Did you mean "put"?')
    await expect(inject(refuseCalls({ answers: 'value' }), bindLevel(db))).rejects.toThrow(
      'A bound client of a driver does not accept `answers`',
    )
  })
})
