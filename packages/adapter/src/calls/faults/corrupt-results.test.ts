import { inject, withFault } from '@chaos/core'
import { describe, expect, it } from 'vitest'
import { Store } from '../../../test/store.js'
import { corruptResults } from './corrupt-results.js'

describe('corruptResults', () => {
  it('succeeds with a wrong result, and leaves the data of the service alone', async () => {
    const row = { id: 7, title: 'abcdef', tags: ['a', 'b', 'c', 'd'], at: new Date(0) }
    const store = {
      async find(): Promise<typeof row> {
        return Promise.resolve(row)
      },
    }
    await withFault(corruptResults(), store, async () =>
      expect(await store.find()).toEqual({ id: 7, title: 'abc', tags: ['a', 'b'], at: new Date(0) }),
    )
    await withFault(corruptResults({ damage: 'empty' }), store, async () => expect(await store.find()).toEqual({}))
    await withFault(
      corruptResults({ change: ({ id }: typeof row, { method }) => `${method} ${id}` }),
      store,
      async () => expect(await store.find()).toBe('find 7'),
    )
    expect(row).toEqual({ id: 7, title: 'abcdef', tags: ['a', 'b', 'c', 'd'], at: new Date(0) })
  })

  it('damages each item of an iteration', async () => {
    const store = new Store()
    await store.set('abcd', '1')
    await store.set('efgh', '2')
    await withFault(corruptResults({ methods: ['keys', 'scan'] }), store, async () => {
      expect([...store.keys()]).toEqual(['ab', 'ef'])
      const keys: string[] = []
      for await (const key of store.scan()) keys.push(key)
      expect(keys).toEqual(['ab', 'ef'])
    })
  })

  it('garbles the same places for the same seed', async () => {
    const run = async (seed: number): Promise<string[]> => {
      const store = {
        async read(): Promise<string> {
          return Promise.resolve('a text with some letters in it')
        },
      }
      return withFault(corruptResults({ damage: 'garble' }), store, { seed, id: 'garble' }, () =>
        Promise.all(Array.from({ length: 10 }, () => store.read())),
      )
    }
    expect(await run(1)).toEqual(await run(1))
    expect(await run(1)).not.toEqual(await run(2))
    expect(new Set(await run(1)).size).toBeGreaterThan(1)
  })

  it('damages a field by path, where the result has it', async () => {
    const store = { find: async (): Promise<unknown> => Promise.resolve({ order: { total: 5 } }) }
    await withFault(corruptResults({ damage: 'set', at: 'order.total', value: -1 }), store, async () =>
      expect(await store.find()).toEqual({ order: { total: -1 } }),
    )
  })

  it('takes one way of damage', () => {
    expect(() => corruptResults({ damage: 'garble', change: () => 1 })).toThrow('exclude each other')
    expect(() => corruptResults({ damage: 'shred' as 'garble' })).toThrow('one of `truncate`, `garble`, `empty`')
  })
})

it('lets a result that contains itself come as it is', async () => {
  const circle: { own?: unknown } = {}
  circle.own = circle
  const service = { find: async (): Promise<unknown> => Promise.resolve(circle) }
  for (const damage of ['truncate', 'garble'] as const) {
    const injection = await inject(corruptResults({ damage }), service)
    expect(await service.find()).toBe(circle)
    expect(injection.affected).toBe(1)
    await injection.rollback()
  }
})
