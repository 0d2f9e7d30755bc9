import { inject, withFault } from '@chaos/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeContract, Store } from '../../../test/store.js'
import { damaged } from '../../operations/damage.js'
import { corruptResults } from './corrupt-results.js'

describe('corruptResults', () => {
  describeContract(() => corruptResults())

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

  it('takes one way of damage', () => {
    expect(() => corruptResults({ damage: 'garble', change: () => 1 })).toThrow(
      'Expected `damage` or `change` of adapter/corrupt-results, got both',
    )
    expect(() => corruptResults({ damage: 'shred' as 'garble' })).toThrow('one of `truncate`, `garble`, `empty`')
  })
})

describe('damaged', () => {
  const anything = fc.anything({ withBigInt: true, withTypedArray: false })

  it('never changes the original', () => {
    fc.assert(
      fc.property(
        anything,
        fc.constantFrom('truncate' as const, 'garble' as const, 'empty' as const),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (value, damage, roll) => {
          const before = structuredClone(value)
          damaged(value, damage, () => roll)
          expect(value).toEqual(before)
        },
      ),
    )
  })

  it('garbles every text, number, truth value and byte into another of its kind and length', () => {
    const values = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.integer(),
      fc.boolean(),
      fc.bigInt(),
      fc.uint8Array({ minLength: 1 }),
      fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value, roll) => {
        const garbled = damaged(value, 'garble', () => roll)
        expect(garbled).not.toEqual(value)
        expect(Object.getPrototypeOf(garbled)).toBe(Object.getPrototypeOf(value))
        expect((garbled as { length?: number }).length).toBe((value as { length?: number }).length)
      }),
    )
  })

  it.each([
    ['abc', 'a', ''],
    [Buffer.from('abcd'), Buffer.from('ab'), Buffer.alloc(0)],
    [new Uint8Array([1, 2]), new Uint8Array([1]), new Uint8Array()],
    [[1, 2, 3], [1], []],
    [5, 5, null],
    [undefined, undefined, null],
    [new Map([[1, 2]]), new Map([[1, 2]]), null],
  ])('truncates and empties %o', (value, truncated, empty) => {
    expect([damaged(value, 'truncate', () => 0), damaged(value, 'empty', () => 0)]).toEqual([truncated, empty])
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
