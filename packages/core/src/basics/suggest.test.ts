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

  it('has nothing to say where nothing is known', () => {
    expect(suggestion('x', [])).toBe('')
    expect(listed([])).toBe('none')
  })

  it('has nothing to say of a name that is no slip of the finger, and compares no more than so many', () => {
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

  it('lists no more names than a sentence can hold, and none raw', () => {
    expect(listed(Array.from({ length: 60 }, (_, n) => String(n)))).toMatch(/, `49` and 10 more$/)
    expect(listed(['a\u001b[2J', 'b'.repeat(300)])).toBe(`\`a\\u001b[2J\`, \`${'b'.repeat(200)}…\``)
  })
})
