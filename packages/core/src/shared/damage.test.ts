import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkDamage, damageOf, type DamageOptions } from './damage.js'

const damaged = (options: DamageOptions, content: unknown, roll = 0): unknown =>
  damageOf(options).damaged(content, () => roll)
const rolls = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const kinds = ['truncate', 'garble', 'empty'] as const

describe('damage', () => {
  it.each<[DamageOptions, unknown, unknown]>([
    [{}, 'abc', 'a'],
    [{}, Buffer.from('abcd'), Buffer.from('ab')],
    [{}, new Uint8Array([1, 2]), new Uint8Array([1])],
    [{}, [1, 2, 3], [1]],
    [{}, { id: 7, title: 'abcd', tags: ['a', 'b'] }, { id: 7, title: 'ab', tags: ['a'] }],
    [{ length: 1 }, new Uint8Array([1, 2, 3]), new Uint8Array([1])],
    [{ length: 3 }, '{"id":1}', '{"i'],
    [{ at: 'items', length: 0 }, { items: [1, 2] }, { items: [] }],
    [{ damage: 'empty' }, 'abc', ''],
    [{ damage: 'empty' }, Buffer.from('abcd'), Buffer.alloc(0)],
    [{ damage: 'empty' }, { id: 1 }, {}],
    [{ damage: 'empty' }, [1], []],
    [{ damage: 'empty' }, 5, null],
    [{ damage: 'empty', at: 'a' }, { a: new Map([[1, 2]]) }, { a: null }],
    [{ damage: 'garble', at: 'paid' }, { paid: true }, { paid: false }],
    [{ damage: 'garble' }, ['', true], ['', false]],
    [{ damage: 'set', at: 'a.b', value: null }, { a: { b: 5, c: 1 } }, { a: { b: null, c: 1 } }],
    [{ damage: 'set', at: 'items.1', value: 'x' }, { items: [1, 2, 3] }, { items: [1, 'x', 3] }],
    [{ damage: 'set', at: 'id', value: 2 }, '{"id":1}', '{"id":2}'],
    [{ damage: 'set', at: 'id', value: 2 }, Buffer.from('{"id":1}'), Buffer.from('{"id":2}')],
    [{ damage: 'set', value: 'garbage' }, Buffer.from('{"id":1}'), Buffer.from('garbage')],
    [{ damage: 'set', value: 7 }, 'text', '7'],
    [{ damage: 'set', value: null }, { id: 1 }, null],
    [{ damage: 'remove', at: 'id' }, { id: 1, n: 2 }, { n: 2 }],
    [{ damage: 'remove', at: 'items.0' }, { items: [1, 2] }, { items: [2] }],
  ])('%o makes of %o %o', (options, before, after) => {
    expect(damageOf(options).fits(before)).toBe(true)
    expect(damaged(options, before)).toEqual(after)
  })

  it.each<[DamageOptions, unknown]>([
    [{}, ''],
    [{}, 5],
    [{}, new Map([[1, 2]])],
    [{ length: 3 }, 'abc'],
    [{ at: 'text' }, {}],
    [{ at: 'text' }, { text: 5 }],
    [{ at: 'text' }, 'no JSON'],
    [{ damage: 'garble' }, ''],
    [{ damage: 'garble' }, new Date(0)],
    [{ damage: 'empty' }, []],
    [{ damage: 'empty' }, undefined],
    [{ damage: 'set', at: 'nowhere', value: 1 }, { id: 1 }],
  ])('%o leaves %o as it is', (options, content) => {
    expect(damageOf(options).fits(content)).toBe(false)
    expect(damaged(options, content)).toBe(content)
  })

  it('never changes the original', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true }), fc.constantFrom(...kinds), rolls, (value, damage, roll) => {
        const before = structuredClone(value)
        damaged({ damage }, value, roll)
        expect(value).toEqual(before)
      }),
    )
  })

  it('garbles every string, number, boolean and byte into another one of the same kind and length', () => {
    const values = fc.oneof(
      fc.string({ minLength: 1 }),
      fc.integer(),
      fc.boolean(),
      fc.bigInt(),
      fc.uint8Array({ minLength: 1 }),
      fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(values, rolls, (value, roll) => {
        const garbled = damaged({ damage: 'garble' }, value, roll)
        expect(garbled).not.toEqual(value)
        expect(Object.getPrototypeOf(garbled)).toBe(Object.getPrototypeOf(value))
        expect((garbled as { length?: number }).length).toBe((value as { length?: number }).length)
      }),
    )
  })

  it('flips the given number of bits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), fc.integer({ min: 1, max: 8 }), rolls, (bytes, bits, roll) => {
        const after = damaged({ damage: 'garble', bits }, bytes, roll) as Uint8Array
        const flipped = [...after].map((byte, index) => (byte ^ (bytes[index] ?? 0)).toString(2).replaceAll('0', ''))
        expect(flipped.join('')).toHaveLength(bits)
      }),
    )
  })

  it('keeps the class of a copy, and calls no getter beside the field', () => {
    class Order {
      constructor(
        readonly id: number,
        readonly lines: readonly number[],
      ) {}
    }
    const order = Object.freeze(
      Object.defineProperty(new Order(1, [1, 2]), 'total', {
        enumerable: true,
        get: () => {
          throw new Error('no total yet')
        },
      }),
    )
    const after = damaged({ damage: 'set', at: 'id', value: 9 }, order) as Order
    expect([order.id, after.id, after.lines]).toEqual([1, 9, order.lines])
    expect(after).toBeInstanceOf(Order)
  })

  it('refuses content that contains itself or shares its parts too often, in bounded time', () => {
    const circle: { own?: unknown } = {}
    circle.own = circle
    const shared = Array.from({ length: 40 }).reduce<unknown>((part) => ({ left: part, right: part }), 'text')
    for (const damage of ['truncate', 'garble'] as const) expect(() => damaged({ damage }, circle)).toThrow(RangeError)
    expect(() => damaged({}, shared)).toThrow(RangeError)
    expect(damaged({ damage: 'garble' }, shared)).not.toEqual(shared)
  })
})

it.each([
  [{ damage: 'set' }, 'Option "value" of eventbus/corrupt-events is required with `damage: set`'],
  [{ damage: 'remove' }, 'Option "at" of eventbus/corrupt-events is required with `damage: remove`'],
  [{ damage: 'remove', at: 'x', value: 1 }, 'works with `damage: set` only, and `damage` is `remove`'],
  [{ bits: 1 }, 'works with `damage: garble` only, and `damage` is `truncate`'],
  [
    { damage: 'garble', change: () => 1 },
    'Options "change" and "damage" of eventbus/corrupt-events exclude each other',
  ],
])('refuses options that contradict each other: %o', (options, words) => {
  expect(() => checkDamage(options as DamageOptions, 'eventbus/corrupt-events')).toThrow(words)
})
