import { describe, expect, it } from 'vitest'
import { listed, suggestion } from './suggest.js'

describe('suggestion', () => {
  it.each([
    ['dealyMs', ' Did you mean `delayMs`?'],
    ['delay', ' Did you mean `delayMs`?'],
    ['ORDER', ' Did you mean `order`?'],
    ['color', ''],
    ['', ''],
  ])('for %o is %o', (name, expected) => {
    expect(suggestion(name, ['delayMs', 'order'])).toBe(expected)
  })

  it('has nothing to say where nothing is known', () => {
    expect(suggestion('x', [])).toBe('')
    expect(listed([])).toBe('none')
  })
})
