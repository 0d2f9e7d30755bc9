import { inject, withFault } from '@chaos/core'
import { Readable } from 'node:stream'
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
    expect([injection.seen, injection.affected]).toEqual([1, 0])
    await injection.rollback()
  }
})

describe('a result that the damage does not change', () => {
  class Hidden {
    readonly #secret = 7
    get secret(): number {
      return this.#secret
    }
  }
  const unreadable = new Proxy(
    {},
    {
      get(_object, key) {
        // A promise looks for `then`.
        if (key === 'then') return undefined
        throw new Error('no')
      },
      getPrototypeOf: () => {
        throw new Error('no')
      },
    },
  )

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['0', 0],
    ['a bigint', 1n],
    ['true', true],
    ['an empty text', ''],
    ['an empty list', []],
    ['an empty object', {}],
    ['an empty Map', new Map()],
    ['an empty Set', new Set()],
    ['a date', new Date(0)],
    ['empty bytes', Buffer.alloc(0)],
    ['an instance with private state', new Hidden()],
    ['a function', () => 1],
    ['what throws when it is read', unreadable],
  ])('comes as it is, and its call counts as passed: %s', async (_what, result) => {
    const service = { find: async (): Promise<unknown> => Promise.resolve(result) }
    const injection = await inject(corruptResults(), service, { limit: 1 })
    expect((await service.find()) === result).toBe(true)
    expect([injection.seen, injection.affected, injection.landedAt]).toEqual([1, 0, undefined])
    await injection.rollback()
  })

  it('leaves the limit to one that it changes', async () => {
    const results = ['', null, 'abcd', 'abcd']
    const service = { find: async (): Promise<unknown> => Promise.resolve(results.shift()) }
    const injection = await inject(corruptResults(), service, { limit: 1 })
    expect([await service.find(), await service.find(), await service.find()]).toEqual(['', null, 'ab'])
    expect((await injection.done).outcome).toBe('limit-spent')
    expect([injection.seen, injection.affected, await service.find()]).toEqual([3, 1, 'abcd'])
  })

  it.each(['iterator', 'async-iterator', 'stream', 'web-stream'] as const)(
    'is no hit in an answer by %s until one of its items is damaged',
    async (answers) => {
      const made = {
        iterator: (items: unknown[]) => items.values(),
        'async-iterator': (items: unknown[]) => Readable.from(items)[Symbol.asyncIterator](),
        stream: (items: unknown[]) => Readable.from(items),
        'web-stream': (items: unknown[]) => Readable.toWeb(Readable.from(items)),
      }
      const service = { list: (...items: unknown[]) => made[answers](items) }
      await withFault(corruptResults({ methods: 'list', answers }), service, async (injection) => {
        const all = async (...items: unknown[]): Promise<unknown[]> => {
          const came: unknown[] = []
          for await (const item of service.list(...items) as AsyncIterable<unknown>) came.push(item)
          return came
        }
        expect(await all(1, true)).toEqual([1, true])
        expect([injection.seen, injection.affected]).toEqual([1, 0])
        expect(await all(1, 'abcd', 'efgh')).toEqual([1, 'ab', 'ef'])
        expect([injection.seen, injection.affected]).toEqual([2, 1])
      })
    },
  )

  it('lets a result that comes after the end pass', async () => {
    let answer: (value: string) => void = () => undefined
    const service = { find: async (): Promise<string> => new Promise((resolve) => (answer = resolve)) }
    const found = await withFault(corruptResults(), service, () => Promise.resolve([service.find()]))
    answer('abcd')
    expect(await found[0]).toBe('abcd')
  })
})
