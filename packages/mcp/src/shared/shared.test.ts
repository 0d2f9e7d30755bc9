import { describe, expect, it } from 'vitest'
import { bounded, plain } from './bounded.js'
import { inWords, parseDuration } from './duration.js'

describe('data that leaves the server', () => {
  it('is cut where it is long, wide, deep or has many values, and says so', () => {
    expect(bounded({ text: 'x'.repeat(9), list: [1, 2, 3] }, { maxText: 4, maxItems: 2 })).toEqual({
      text: 'xxxx…',
      list: [1, 2, '… and 1 more'],
    })
    expect(bounded({ a: 1, b: 2, c: 3 }, { maxItems: 2 })).toEqual({ a: 1, b: 2, '…': '1 more' })
    let deep: unknown = 'end'
    for (let level = 0; level < 10_000; level += 1) deep = [deep]
    expect(JSON.stringify(bounded(deep))).toContain('… (left out)')
    expect(bounded([1, 2, 3], { maxValues: 3 })).toEqual([1, 2, '… (left out)'])
  })

  it('shows what a terminal would obey, keeps names from being a prototype, and hides passwords of URLs', () => {
    expect(bounded({ 'a\u001b': '\u202e' })).toEqual({ 'a\\u001b': '\\u202e' })
    const copy = bounded(JSON.parse('{"__proto__":{"polluted":true}}') as unknown)
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(plain('redis://user:secret@host:1')).toBe('redis://user:…@host:1')
    expect(bounded({ url: 'redis://user:secret@host:1' })).toEqual({ url: 'redis://user:…@host:1' })
  })
})

describe('a time', () => {
  it('is read with its unit, within a limit', () => {
    expect(['90s', '15m', '4h'].map((text) => parseDuration(text, '--for', 14_400_000))).toEqual([
      90_000, 900_000, 14_400_000,
    ])
    for (const text of ['15', '0m', '5h', '-1m', '1.5h', '1d', '', '1e3s'])
      expect(() => parseDuration(text, '--for', 14_400_000), text).toThrow(
        'Expected `--for` to be a time from 1s to 4 h',
      )
    expect([90_000, 900_000, 14_400_000, 1].map(inWords)).toEqual(['90 s', '15 min', '4 h', '1 s'])
  })
})
