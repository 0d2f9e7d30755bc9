import { describe, expect, it } from 'vitest'
import { keyOfArguments } from './key-of-arguments.js'

describe('keyOfArguments', () => {
  it('tells arguments apart by all of their text and bytes, nested ones too', () => {
    const bytes = (last: number): Buffer => Buffer.concat([Buffer.alloc(100), Buffer.from([last])])
    const made: readonly ((last: number) => unknown)[] = [
      bytes,
      (last) => ({ id: bytes(last) }),
      (last) => new Map([['id', new DataView(new Uint8Array(bytes(last)).buffer)]]),
      (last) => `${'x'.repeat(500_000)}${last}`,
    ]
    for (const make of made) {
      expect(keyOfArguments([make(1)])).toBe(keyOfArguments([make(1)]))
      expect(keyOfArguments([make(1)])).not.toBe(keyOfArguments([make(2)]))
    }
  })

  it('compares nothing that is very large, and runs no trap of a Proxy', () => {
    const sparse: unknown[] = []
    sparse.length = 4_000_000_000
    let deep: unknown
    for (let level = 0; level < 100_000; level += 1) deep = { deep }
    const trapped = new Proxy({}, { ownKeys: () => expect.unreachable(), get: () => expect.unreachable() })
    for (const argument of [
      sparse,
      deep,
      trapped,
      new Uint8Array(new SharedArrayBuffer(100_000_000)),
      'x'.repeat(2_000_000),
    ])
      expect(keyOfArguments(['key', argument])).toBeUndefined()
  })

  it('takes data that contains itself', () => {
    const circle: { own?: unknown } = {}
    circle.own = circle
    expect(keyOfArguments([circle])).toContain('Circular')
  })

  it('ignores what its caller removes from the text, however long that is', () => {
    const without =
      (text: string) =>
      (args: unknown): string | undefined =>
        keyOfArguments([args], (whole) => whole.replaceAll(text, ''))
    expect(without('abc')({ id: 'abc', n: 1 })).toBe(without('xyz')({ id: 'xyz', n: 1 }))
    expect(without('abc')({ id: 'abc', n: 'x'.repeat(500) })).toBe(without('xyz')({ id: 'xyz', n: 'x'.repeat(500) }))
    expect(without('abc')({ id: 'abc', n: 1 })).not.toBe(without('xyz')({ id: 'xyz', n: 2 }))
  })
})
