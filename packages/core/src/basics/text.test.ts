import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keptName, MAX_NAME_LENGTH, messageOf, printable, printableJson } from './text.js'

describe('printable', () => {
  it.each([
    ['plain', 'plain'],
    ['Grüße, 世界 🌍', 'Grüße, 世界 🌍'],
    ['\u001b[31mred', '\\u001b[31mred'],
    ['a\nb\tc\rd', 'a\\u000ab\\u0009c\\u000dd'],
    ['\u009b2J', '\\u009b2J'],
    ['abc\u202edcba', 'abc\\u202edcba'],
    ['zero\u200bwidth\u2066', 'zero\\u200bwidth\\u2066'],
    ['half \ud83d', 'half \\ud83d'],
    ['tag \u{e0041}', 'tag \\udb40\\udc41'],
    [undefined, 'undefined'],
    [Object.create(null), 'an object'],
  ])('shows %j as %j', (text, expected) => {
    expect(printable(text)).toBe(expected)
  })

  it('cuts a long text, and keeps line feeds if asked to', () => {
    expect(printable('x'.repeat(201))).toBe(`${'x'.repeat(200)}…`)
    expect(printable('one\ntwo\u001b', { lines: true })).toBe('one\ntwo\\u001b')
  })

  it('shows at most six characters for each one that it keeps', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const shown = printable(text, { max: 50 })
        expect(shown.length).toBeLessThanOrEqual(51 * 6)
        expect(shown).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}/u)
      }),
    )
  })
})

describe('printableJson', () => {
  it('holds no control character, and parses to the same value', () => {
    const obeyed = fc.constantFrom(
      '\u001b',
      '\n',
      '\u007f',
      '\u009b',
      '\u00ad',
      '\u200b',
      '\u202e',
      '\u2028',
      '\u2029',
      '\ufeff',
      '\ud83d',
      '\u{e0041}',
    )
    fc.assert(
      fc.property(
        fc.string({ unit: fc.oneof(obeyed, fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 40 }),
        (text) => {
          const json = printableJson(JSON.stringify({ text }))
          expect(json).not.toMatch(/\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/u)
          expect(JSON.parse(json)).toEqual({ text })
        },
      ),
    )
  })
})

describe('keptName', () => {
  it('is the name itself, cut to the longest length of a name', () => {
    expect(keptName('tick')).toBe('tick')
    expect(keptName('')).toBe('')
    expect(keptName(Symbol('tock'))).toBe('Symbol(tock)')
    expect(keptName('x'.repeat(5_000))).toBe(`${'x'.repeat(MAX_NAME_LENGTH)}…`)
  })
})

describe('messageOf', () => {
  it('gives a message for any thrown value', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect([new Error('no\u001b'), 'text', 1n, Object.create(null), proxy].map((thrown) => messageOf(thrown))).toEqual([
      'no\\u001b',
      'text',
      '1',
      'an object',
      'an unreadable value',
    ])
  })
})
