import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { Store } from '../../../test/store.js'
import { serveStaleReads } from './serve-stale-reads.js'

describe('serveStaleReads', () => {
  // The contract exercises `set`: to the fault it is a read like any other.
  it('answers with what the first affected read got, whatever was written since, read by read', async () => {
    const store = new Store()
    await store.set('a', 'old')
    await withFault(serveStaleReads({ methods: 'get' }), store, async (injection) => {
      expect([await store.get('a'), await store.get('b')]).toEqual(['old', undefined])
      await store.set('a', 'new')
      await store.set('b', 'new')
      expect([await store.get('a'), await store.get('b'), await store.get('c')]).toEqual(['old', undefined, undefined])
      expect(injection.affected).toBe(5)
    })
    expect([await store.get('a'), await store.get('b')]).toEqual(['new', 'new'])
    expect(store.reached.filter((call) => call === 'get a')).toHaveLength(2)
  })

  it('lets reads that pass see the newest, so that values go back and forth', async () => {
    const store = new Store()
    const seen: (string | undefined)[] = []
    await withFault(serveStaleReads({ methods: 'get' }), store, { every: 2 }, async () => {
      for (const value of ['1', '2', '3', '4']) {
        await store.set('a', value)
        seen.push(await store.get('a'))
      }
    })
    expect(seen).toEqual(['1', '2', '1', '4'])
  })

  it('catches up after its lag', async () => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(serveStaleReads({ methods: 'get', lagMs: 100 }), store, { clock })
    const seen: (string | undefined)[] = []
    for (const value of ['1', '2', '3']) {
      await store.set('a', value)
      seen.push(await store.get('a'))
      await clock.advance(60)
    }
    expect(seen).toEqual(['1', '1', '3'])
    await injection.rollback()
  })

  it('tells reads apart by all of their arguments', async () => {
    const asked: unknown[] = []
    const store = {
      async find(...args: unknown[]): Promise<number> {
        return Promise.resolve(asked.push(args))
      },
    }
    const long = (last: string): Buffer => Buffer.from(`${'x'.repeat(200)}${last}`)
    const reads = [
      [long('a')],
      [long('b')],
      [{ deep: { deep: { deep: { deep: [1] } } } }],
      [{ deep: { deep: { deep: { deep: [2] } } } }],
      [1n],
      ['1'],
      [1],
    ]
    await withFault(serveStaleReads({ methods: 'find' }), store, async () => {
      for (const args of [...reads, ...reads]) await store.find(...args)
    })
    expect(asked).toEqual(reads)
  })

  it('does not remember a read that failed, and gives each caller a copy', async () => {
    let isDown = true
    const rows = [{ id: 1 }]
    const store = {
      async find(): Promise<{ id: number }[]> {
        return isDown ? Promise.reject(new Error('down')) : Promise.resolve(rows)
      },
    }
    await withFault(serveStaleReads({ methods: 'find' }), store, async () => {
      await expect(store.find()).rejects.toThrow('down')
      isDown = false
      const [first, second] = [await store.find(), await store.find()]
      first.push({ id: 2 })
      expect([second, rows]).toEqual([[{ id: 1 }], [{ id: 1 }]])
    })
  })

  it('forgets the oldest answer beyond 10,000', async () => {
    let reads = 0
    const store = {
      async find(_id: number): Promise<number> {
        return Promise.resolve((reads += 1))
      },
    }
    await withFault(serveStaleReads({ methods: 'find' }), store, async () => {
      for (let id = 0; id <= 10_000; id += 1) await store.find(id)
      expect(reads).toBe(10_001)
      expect(await store.find(1)).toBe(2)
      expect(await store.find(0)).toBe(10_002)
    })
  })
})
