import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globMatcher, isGlob } from './glob.js'

/** What a glob means, said without any regular expression. */
function means(pattern: string, name: string): boolean {
  if (pattern === '') return name === ''
  if (pattern.startsWith('*')) return means(pattern.slice(1), name) || (name !== '' && means(pattern, name.slice(1)))
  return name !== '' && (pattern.startsWith('?') || name.startsWith(pattern.charAt(0))) && means(pattern.slice(1), name.slice(1))
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

  it('means what it says, alone and among others', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 })
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 })
    fc.assert(
      fc.property(fc.array(pattern, { minLength: 1, maxLength: 4 }), text, (patterns, name) => {
        expect(globMatcher(patterns)(name)).toBe(patterns.some((one) => means(one, name)))
      }),
      { numRuns: 2_000 },
    )
  })

  it('with many stars takes no time to speak of on a long name that it does not fit', () => {
    expect(globMatcher([`${'*a'.repeat(200)}*b`])(`${'a'.repeat(10_000)}c`)).toBe(false)
  })

  it('is told from a name', () => {
    expect(['a', 'a*', '?'].map(isGlob)).toEqual([false, true, true])
  })
})
