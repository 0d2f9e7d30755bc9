import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern } from './pattern.js'

const matches = (pattern: string, text: string): boolean => compilePattern(pattern)(text, { steps: 1_000_000 })

describe('a pattern', () => {
  it.each([
    ['5..', '503', true],
    ['5..', '5033', false],
    ['50', '503', false],
    ['/api/.*', '/api/a/b', true],
    ['/api/.*', 'x/api/', false],
    ['(a|bc)+d?', 'abcbcd', true],
    ['(?:a|b){2,3}', 'aba', true],
    ['(?:a|b){2,3}', 'abab', false],
    ['(?:a|b){2,}', 'abab', true],
    ['(a*)*b', 'aaaab', true],
    ['[a-c_\\d-]+', 'a-7_', true],
    ['[^a-c]', 'b', false],
    ['[^a-c]', 'd', true],
    ['[]]', ']', 'refused'],
    ['\\.\\w\\S\\D', '.a!x', true],
    ['^ab$', 'ab', true],
    ['a|', '', true],
    ['', '', true],
    ['.', '😀', true],
    ['.', '\n', false],
    ['a+?', 'aaa', true],
  ] as const)('%s against %j: %s', (pattern, text, expected) => {
    if (expected === 'refused') expect(() => compilePattern(pattern)).toThrow('an empty class')
    else expect(matches(pattern, text)).toBe(expected)
  })

  it.each([
    ['(', 'a `(` without its `)`'],
    [')', 'a `)` without its `(`'],
    ['[a', 'it ends too early'],
    ['*a', 'nothing before `*` to repeat'],
    ['a**', 'a repetition of a repetition'],
    ['a{2,1}', 'counts that go backwards'],
    ['a{b}', '`{` without counts'],
    ['(?=a)', 'such as lookaround'],
    ['(?<!a)', 'such as lookaround'],
    ['(a)\\1', 'the unknown escape `\\1`'],
    ['\\bx', 'the unknown escape `\\b`'],
    ['a$b', '`$` in the middle'],
    ['[b-a]', 'a range that goes backwards'],
    ['a'.repeat(501), '501 characters, more than 500'],
    ['(((a{100}){100}){100}){100}', 'more than 2000 states'],
    ['((a{0,1000}){0,1000}){0,1000}', 'more than 2000 states'],
    ['(((){1000}){1000}){1000}', 'more than 2000 states'],
    ['('.repeat(200), 'groups nested deeper than 20'],
    ['\\', 'it ends too early'],
  ])('%s is refused: %s', (pattern, reason) => {
    expect(() => compilePattern(pattern)).toThrow(reason)
  })

  it('says what the regular expressions of JavaScript say', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '(a|b)', '(?:ab)', '(a*)', '(|b)')
    const pattern = fc
      .array(fc.tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{2}', '{0,2}', '{1,}')), { maxLength: 5 })
      .map((parts) => parts.map((part) => part.join('')).join(''))
    const either = fc.array(pattern, { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|'))
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', 'c'), maxLength: 6 })
    fc.assert(
      fc.property(either, text, (source, given) => {
        expect(matches(source, given)).toBe(new RegExp(`^(?:${source})$`).test(given))
      }),
      { numRuns: { quick: 3_000, whole: 30_000 }[process.env['CHAOS_SOAK'] ?? ''] ?? 1_000 },
    )
  })

  it('takes steps in proportion to the text, also where a backtracking matcher takes forever', () => {
    for (const hostile of ['(a+)+b', '(a|a)*b', '(a|aa)+b', '(.*)*x(.*)*y']) {
      const stepsFor = (length: number): number => {
        const budget = { steps: 10_000_000 }
        expect(compilePattern(hostile)('a'.repeat(length), budget)).toBe(false)
        return 10_000_000 - budget.steps
      }
      expect(stepsFor(10_000)).toBeLessThan(stepsFor(1_000) * 11)
    }
  })

  it('stops when its steps are used up', () => {
    expect(() => compilePattern('(a|b)*')('a'.repeat(10_000), { steps: 1_000 })).toThrow('took too many steps')
  })
})
