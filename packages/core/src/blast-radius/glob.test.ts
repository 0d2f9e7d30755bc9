import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globMatcher, isGlob } from './glob.js'

/** What a glob means, said without any regular expression. */
function means(pattern: string, name: string): boolean {
  if (pattern === '') return name === ''
  if (pattern.startsWith('*')) return means(pattern.slice(1), name) || (name !== '' && means(pattern, name.slice(1)))
  return (
    name !== '' &&
    (pattern.startsWith('?') || name.startsWith(pattern.charAt(0))) &&
    means(pattern.slice(1), name.slice(1))
  )
}

describe('a glob', () => {
  it.each([
    ['journal:*', 'journal:saved', true],
    ['journal:*', 'journal', false],
    ['*', '', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['a.c', 'abc', false],
    ['*.saved.*', 'entry.saved.ok', true],
    ['line*', 'line\nend', true],
    ['(a|b)*', 'a', false],
    ['\\1*$', '\\1 costs 3 $', true],
  ])('%s says of %j: %s', (pattern, name, expected) => {
    expect(globMatcher([pattern])(name)).toBe(expected)
  })

  it('matches as documented, alone and among others', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 })
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), text, (patterns, name) => {
        expect(globMatcher(patterns)(name)).toBe(patterns.some((one) => means(one, name)))
      }),
      { numRuns: 2_000 },
    )
  })

  it('never throws and never backtracks, however many stars it has', () => {
    const name = 'a'.repeat(1_000)
    expect(globMatcher([`${'*a'.repeat(900)}*b`])(name)).toBe(false)
    expect(globMatcher([`${'*a'.repeat(900)}*`])(name)).toBe(true)
    expect(globMatcher([`${'*'.repeat(100_000)}b`])(name)).toBe(false)
    expect(globMatcher(['*a'.repeat(50_000)])(name)).toBe(false)
    expect(globMatcher(Array.from({ length: 6_000 }, () => '*a*b*c*'))(name)).toBe(false)
  })

  it('compares at most 1,024 characters: a longer name only matches stars', () => {
    const long = 'a'.repeat(1_025)
    expect(globMatcher(['a*'])(long)).toBe(false)
    expect(globMatcher([long])(long)).toBe(false)
    expect(globMatcher(['b', '**'])(long)).toBe(true)
    expect(globMatcher(['a*'])('a'.repeat(1_024))).toBe(true)
  })

  it('is distinguished from a name', () => {
    expect(['a', 'a*', '?'].map(isGlob)).toEqual([false, true, true])
  })
})
