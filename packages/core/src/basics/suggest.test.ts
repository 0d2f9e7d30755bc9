import { describe, expect, it } from 'vitest'
import { listed, suggestion } from './suggest.js'

describe('suggestion', () => {
  it.each([
    ['dealyMs', ' Did you mean "delayMs"?'],
    ['delay', ' Did you mean "delayMs"?'],
    ['ORDER', ' Did you mean "order"?'],
    ['color', ''],
    ['', ''],
  ])('for %o is %o', (name, expected) => {
    expect(suggestion(name, ['delayMs', 'order'])).toBe(expected)
  })

  it('suggests nothing if no name is known', () => {
    expect(suggestion('x', [])).toBe('')
    expect(listed([])).toBe('none')
  })

  it('suggests nothing for a long name, and compares a bounded number of names', () => {
    const long = 'x'.repeat(15_000)
    expect(
      suggestion(
        long,
        Array.from({ length: 120 }, () => `${long}y`),
      ),
    ).toBe('')
    expect(suggestion('order', [`order${'x'.repeat(100)}`])).toBe('')
    expect(suggestion('order', [...Array.from({ length: 200 }, () => 'unlike'), 'ordre'])).toBe('')
  })

  it('lists a bounded number of names, with control characters escaped', () => {
    expect(listed(Array.from({ length: 60 }, (_, n) => String(n)))).toMatch(/, `49` and 10 more$/)
    expect(listed(['a\u001b[2J', 'b'.repeat(300)])).toBe(`\`a\\u001b[2J\`, \`${'b'.repeat(200)}…\``)
  })
})
