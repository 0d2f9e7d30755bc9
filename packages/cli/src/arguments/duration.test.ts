import { expect, it } from 'vitest'
import { parseDuration } from './duration.js'

it.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['1.5s', 1_500],
  ['2m', 120_000],
  ['1h', 3_600_000],
  ['250', 250],
  ['0', 0],
])('reads %s as %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

it.each(['', 'soon', '-1s', '10 apples', '1d'])('refuses %o', (text) => {
  expect(() => parseDuration(text)).toThrow('Expected a time such as 500ms, 10s or 2m.')
})
