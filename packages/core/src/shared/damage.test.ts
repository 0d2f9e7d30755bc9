import { Blob, Buffer, File } from 'node:buffer'
import fc from 'fast-check'
import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
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
    [{ damage: 'empty', at: 'a' }, { a: new Map([[1, 2]]) }, { a: new Map() }],
    [{ damage: 'empty' }, new Set([1]), new Set()],
    [{ damage: 'empty' }, new Date(0), null],
    [
      {},
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      new Map([['a', 1]]),
    ],
    [{ length: 2 }, new Set([1, 2, 3]), new Set([1, 2])],
    [{}, new URLSearchParams('a=1&b=2'), new URLSearchParams('a=1')],
    [{ damage: 'garble' }, new Map([['a', 1n]]), new Map([['a', 0n]])],
    [{ damage: 'garble' }, new Map([['a', new Map([['b', true]])]]), new Map([['a', new Map([['b', false]])]])],
    [{ damage: 'garble' }, new Set([true]), new Set([false])],
    [{ damage: 'garble' }, new Date(0), new Date(1)],
    [{ damage: 'garble' }, new URLSearchParams('a=b'), new URLSearchParams('a=c')],
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
    [{}, new Map()],
    [{}, new Date(0)],
    [
      {},
      new (class extends Map<number, number> {})([
        [1, 2],
        [3, 4],
      ]),
    ],
    [{}, () => 1],
    [{}, null],
    [{}, {}],
    [{}, new Blob([])],
    [{ length: 3 }, 'abc'],
    [{ at: 'text' }, {}],
    [{ at: 'text' }, { text: 5 }],
    [{ at: 'text' }, 'no JSON'],
    [{ damage: 'garble' }, ''],
    [{ damage: 'garble' }, new Date(Number.NaN)],
    [{ damage: 'garble' }, new Blob(['abc'])],
    [{ damage: 'garble' }, Object.assign(new Date(0), { id: 1 })],
    [{ damage: 'set', value: 1 }, '1'],
    [{ damage: 'set', value: 1 }, Buffer.from('1')],
    [{ damage: 'set', at: 'id', value: 1 }, { id: 1 }],
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

  it('flips as many bits as there are, with one draw for each', () => {
    const bytes = new Uint8Array(125_000)
    let draws = 0
    const draw = (): number => {
      draws += 1
      return 0.5
    }
    const after = damageOf({ damage: 'garble', bits: 1_000_000 }).damaged(bytes, draw) as Uint8Array
    expect(after.every((byte) => byte === 255)).toBe(true)
    expect(draws).toBe(1_000_000)
  })

  it('probes no neighbours for a bit that is taken', () => {
    const text = 'é\ud800'.repeat(80_000)
    const garbled = damaged({ damage: 'garble', bits: 1_000_000 }, text, 0.999_999) as string
    expect(garbled).toHaveLength(text.length)
    const flipped = Array.from(
      { length: text.length },
      (_, index) => text.charCodeAt(index) ^ garbled.charCodeAt(index),
    )
    expect(flipped.every((bits) => bits < 128)).toBe(true)
    expect(flipped.join('')).not.toBe('0'.repeat(text.length))
  })

  it('garbles one item of a list of any length', () => {
    const list = Array.from({ length: 200_000 }, () => true)
    const after = damaged({ damage: 'garble' }, list, 0.5) as boolean[]
    expect(after.flatMap((item, index) => (item ? [] : [index]))).toEqual([100_000])
  })

  it.each<[DamageOptions, number[]]>([
    [{ damage: 'set', at: '1', value: 9 }, [1, 4]],
    [{ damage: 'remove', at: '1' }, [3]],
  ])('keeps the holes of a list: %o', (options, expected) => {
    const list: number[] = []
    list[1] = 1
    list[4] = 4
    const after = damaged(options, list) as number[]
    expect(Object.keys(after).map(Number)).toEqual(expected)
    expect(after).toHaveLength(options.damage === 'remove' ? 4 : 5)
  })

  it.each(['list.length', 'list.map', 'toString', '__proto__', 'constructor', 'constructor.prototype'])(
    'takes no inherited name for a field: %s',
    (at) => {
      const content = { list: [1, 2] }
      expect(damageOf({ damage: 'set', at, value: 1 }).fits(content)).toBe(false)
      expect(damaged({ damage: 'set', at, value: 1 }, content)).toBe(content)
    },
  )

  it('leaves alone what works no more as a copy of its members', () => {
    class Hidden {
      readonly #secret = 7
      id = 1
      get secret(): number {
        return this.#secret
      }
    }
    class Kept extends Map<string, number> {
      id = 1
    }
    for (const content of [
      new Hidden(),
      new Kept(),
      Object.assign(new Date(0), { id: 1 }),
      { id: 1, in: new Hidden() },
    ]) {
      const at = 'in' in content ? 'in.id' : 'id'
      expect(damageOf({ damage: 'set', at, value: 2 }).fits(content)).toBe(false)
      expect(damaged({ damage: 'set', at, value: 2 }, content)).toBe(content)
    }
    const beside = new Hidden()
    const after = damaged({ damage: 'set', at: 'id', value: 2 }, { id: 1, beside }) as { readonly beside: Hidden }
    expect([after.beside, after.beside.secret]).toEqual([beside, 7])
  })

  it('damages the members of an Error and of a class that mentions a colour', () => {
    class Paint {
      id = 1
      readonly colour = '#fff'
    }
    expect(damaged({ damage: 'set', at: 'id', value: 2 }, new Paint())).toMatchObject({ id: 2, colour: '#fff' })
    expect(damaged({ damage: 'set', at: 'message', value: 'x' }, new TypeError('y'))).toMatchObject({ message: 'x' })
  })

  it('keeps all digits of the numbers beside the damaged field of a body', () => {
    const body = '{"big":9007199254740993,"text":"9007199254740993 \\" 1.0","rates":[1.0,-0,1e400],"n":1}'
    const after = body.replace('"n":1}', '"n":2}')
    expect(damaged({ damage: 'set', at: 'n', value: 2 }, body)).toBe(after)
    expect(damaged({ damage: 'set', at: 'n', value: 2 }, Buffer.from(body))).toEqual(Buffer.from(after))
    expect(damaged({ at: 'rates', length: 1 }, '{"big":12345678901234567890,"rates":[1,2]}')).toBe(
      '{"big":12345678901234567890,"rates":[1]}',
    )
    expect(damaged({ damage: 'garble', at: 'big' }, body)).not.toBe(body)
  })

  it.each(kinds)('shares no memory with the original bytes: %s', (damage) => {
    const bytes = Buffer.from('abcd')
    const after = damaged({ damage }, bytes) as Buffer
    expect(after.buffer).not.toBe(bytes.buffer)
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

  it.each([
    new Float64Array([1, 2, 3, 4]),
    new BigInt64Array([1n, 2n]),
    new Uint8ClampedArray([1, 2]),
    new DataView(new ArrayBuffer(8), 4),
    new ArrayBuffer(4),
    new SharedArrayBuffer(4),
    Buffer.alloc(4),
    new Uint16Array(new SharedArrayBuffer(4)),
    runInNewContext('new Float32Array(4)') as Float32Array,
    runInNewContext('new DataView(new ArrayBuffer(4))') as DataView,
  ])('keeps the class of bytes: %s', (bytes) => {
    const before = bytes.byteLength
    const truncated = damaged({}, bytes) as typeof bytes
    expect(Object.getPrototypeOf(truncated)).toBe(Object.getPrototypeOf(bytes))
    expect(truncated.byteLength).toBe(before / 2)
    const garbled = damaged({ damage: 'garble' }, bytes) as typeof bytes
    expect(Object.getPrototypeOf(garbled)).toBe(Object.getPrototypeOf(bytes))
    expect(garbled.byteLength).toBe(before)
    expect(Object.getPrototypeOf(damaged({ damage: 'set', value: 'abc' }, bytes))).toBe(Object.getPrototypeOf(bytes))
  })

  it('cuts typed arrays between items', () => {
    expect(damaged({ length: 1 }, new Float64Array([1.5, 2, 3]))).toEqual(new Float64Array([1.5]))
  })

  it('cuts a Blob and a form without reading them', async () => {
    const blob = damaged({ length: 2 }, new Blob(['abcd'], { type: 'text/plain' })) as Blob
    expect([await blob.text(), blob.type]).toEqual(['ab', 'text/plain'])
    const form = new FormData()
    form.append('name', 'x')
    form.append('photo', 'y')
    expect([...(damaged({}, form) as FormData)]).toEqual([['name', 'x']])
    expect([...form]).toHaveLength(2)
  })

  it('keeps the name of a File', async () => {
    const file = new File(['abcd'], 'a.txt', { type: 'text/plain', lastModified: 7 })
    const cut = damaged({}, file) as File
    expect([cut.constructor, await cut.text(), cut.name, cut.type, cut.lastModified]).toEqual([
      File,
      'ab',
      'a.txt',
      'text/plain',
      7,
    ])
  })

  it('changes what programs see of every number, for 0 and NaN too', () => {
    for (let roll = 0; roll < 1; roll += 1 / 128) {
      expect(damaged({ damage: 'garble' }, 0, roll)).not.toEqual(damaged({}, -0))
      expect(damaged({ damage: 'garble' }, 0, roll) === 0).toBe(false)
      expect(damaged({ damage: 'garble' }, Number.NaN, roll)).not.toBeNaN()
    }
  })

  it('damages content that contains itself or shares its parts, and visits each part once', () => {
    const circle: { own?: unknown; text?: string } = {}
    circle.own = circle
    for (const damage of ['truncate', 'garble'] as const) {
      expect(damageOf({ damage }).fits(circle)).toBe(false)
      expect(damaged({ damage }, circle)).toBe(circle)
    }
    const told = Object.assign(circle, { text: 'abcd' })
    expect(damaged({}, told)).toEqual({ text: 'ab', own: told })
    let shared: unknown = 'text'
    for (let level = 0; level < 40; level += 1) shared = { left: shared, right: shared }
    for (const damage of ['truncate', 'garble'] as const) {
      expect(damageOf({ damage }).fits(shared)).toBe(true)
      let [before, after] = [shared, damaged({ damage }, shared)]
      expect(after).not.toBe(before)
      while (typeof before === 'object') {
        before = (before as { left: unknown }).left
        after = (after as { left: unknown }).left
      }
      expect(after).not.toBe('text')
    }
  })

  it('damages sparse lists by their items, however long they are', () => {
    const sparse: unknown[] = ['first']
    sparse[4_000_000_000] = 'last'
    const after = damaged({}, sparse) as unknown[]
    expect([after.length, Object.keys(after)]).toEqual([2_000_000_000, ['0']])
    const garbled = damaged({ damage: 'garble' }, sparse, 0.5) as unknown[]
    expect([garbled.length, garbled[0], garbled[4_000_000_000]]).toEqual([4_000_000_001, 'first', 'lart'])
    const set = damaged({ damage: 'set', at: '4000000000', value: 1 }, sparse) as unknown[]
    expect([set.length, set[4_000_000_000], Object.keys(set)]).toEqual([4_000_000_001, 1, ['0', '4000000000']])
    // Removing would move every item behind.
    expect(damageOf({ damage: 'remove', at: '0' }).fits(sparse)).toBe(false)
    const empty: unknown[] = []
    empty.length = 4_000_000_000
    expect(damageOf({ damage: 'garble' }).fits(empty)).toBe(false)
    expect(damaged({}, empty)).toHaveLength(2_000_000_000)
    expect(damaged({ damage: 'empty' }, sparse)).toEqual([])
  })

  it('leaves alone what is too much to damage, and reads no more of it than its bounds', () => {
    let deep: unknown = 'text'
    for (let level = 0; level < 100_000; level += 1) deep = { deep }
    const wide = Object.fromEntries(Array.from({ length: 100_001 }, (_, index) => [`k${index}`, 'text']))
    const places = vi.fn(() => false)
    const proxied = new Proxy([] as unknown[], {
      get: (list, key) => (key === 'length' ? 2 ** 31 : (Reflect.get(list, key) as unknown)),
      has: places,
    })
    for (const content of [{ deep }, wide, proxied])
      for (const damage of ['truncate', 'garble'] as const) {
        expect(damageOf({ damage }).fits(content)).toBe(false)
        expect(damaged({ damage }, content)).toBe(content)
      }
    expect(places).not.toHaveBeenCalled()
    const long = ' '.repeat(17_000_000) + '{"id":1}'
    expect(damageOf({ damage: 'set', at: 'id', value: 2 }).fits(long)).toBe(false)
  })

  it('copies no more bytes than its bounds, and no byte that it leaves out', () => {
    const memory = new SharedArrayBuffer(1_000_000_000)
    expect(damageOf({ damage: 'garble' }).fits(new Uint8Array(memory))).toBe(false)
    expect(damaged({ length: 4 }, new Uint8Array(memory))).toEqual(new Uint8Array(4))
    const views = Array.from({ length: 10_000 }, (_, at) => [`v${at}`, new Uint8Array(memory, at)] as const)
    expect(damageOf({}).fits(Object.fromEntries(views))).toBe(false)
  })

  it('throws what a Proxy or a getter on the way throws, to the caller of the damage alone', () => {
    const refuse = (): never => {
      throw new Error('no')
    }
    const content = new Proxy({ a: 'text' }, { ownKeys: refuse, getPrototypeOf: refuse, has: refuse })
    for (const damage of ['truncate', 'garble', 'empty'] as const)
      expect(() => damageOf({ damage }).fits(content)).toThrow('no')
    const got = Object.defineProperty({}, 'at', { get: refuse, enumerable: true })
    expect(damageOf({ damage: 'garble' }).fits(got)).toBe(false)
    expect(() => damageOf({ damage: 'garble', at: 'at' }).fits(got)).toThrow('no')
  })

  it('fits exactly what it changes', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withSparseArray: true,
        }),
        fc.constantFrom(...kinds),
        rolls,
        (value, damage, roll) => {
          expect(Object.is(damaged({ damage }, value, roll), value)).toBe(!damageOf({ damage }).fits(value))
        },
      ),
    )
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
