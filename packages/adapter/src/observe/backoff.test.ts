import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffOf, jitterOf } from './backoff.js'

const base = fc.integer({ min: 20, max: 1_000 })
const count = fc.integer({ min: 3, max: 8 })
const series = (length: number, of: (n: number) => number): number[] => Array.from({ length }, (_, n) => of(n))

describe('backoffOf', () => {
  it('tells constant, linear and exponential waits from each other, and finds the cap', () =>
    fc.assert(
      fc.property(base, count, (first, length) => {
        expect(backoffOf(series(length, () => first))).toEqual({ growth: 'constant', capMs: undefined })
        expect(backoffOf(series(length, (n) => first * (n + 1)))).toEqual({ growth: 'linear', capMs: undefined })
        expect(backoffOf(series(length, (n) => first * 2 ** n))).toEqual({ growth: 'exponential', capMs: undefined })
        const capMs = first * 2 ** (length - 1)
        expect(backoffOf(series(length + 2, (n) => Math.min(capMs, first * 2 ** n)))).toEqual({
          growth: length === 3 ? 'growing' : 'exponential',
          capMs,
        })
      }),
    ))

  it('is not misled by a timer that is a little late', () => {
    expect(backoffOf([101, 100, 103])).toMatchObject({ growth: 'constant' })
    expect(backoffOf([101, 204, 403, 808])).toMatchObject({ growth: 'exponential' })
    expect(backoffOf([0, 0.4, 1.2])).toMatchObject({ growth: 'constant' })
  })

  it.each([
    ['no wait', [], 'unknown'],
    ['one wait', [5], 'unknown'],
    ['a wait that is not known', [10, undefined, 40], 'unknown'],
    ['two waits', [100, 200], 'growing'],
    ['waits that vary', [100, 20, 300], 'irregular'],
    ['growth of no order', [100, 120, 900], 'growing'],
  ] as const)('says of %s what it can', (_what, gaps, growth) => {
    expect(backoffOf(gaps)).toEqual({ growth, capMs: undefined })
  })
})

describe('jitterOf', () => {
  const few = { calls: 3, longerThanMs: 10 }
  it('is the spread of the waits of different calls before the same attempt', () => {
    expect(jitterOf([[100, 200], [100, 200], [100]], few)).toBe(0)
    expect(jitterOf([[80], [100], [120]], few)).toBeCloseTo(0.4)
  })
  it('is not known from few calls, or from waits that are none', () => {
    expect(jitterOf([[100], [100]], few)).toBeUndefined()
    expect(jitterOf([[0], [1], [0]], few)).toBeUndefined()
    expect(jitterOf([], few)).toBeUndefined()
  })
})
