import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { median, quantile, shuffled } from './statistics.js'

const numbers = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 50 })

describe('quantile', () => {
  it('leaves as many values below as above, and does not mind their order', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(quantile([0, 10], 0.1)).toBeCloseTo(1)
    fc.assert(
      fc.property(numbers, (values) => {
        const middle = median(values)
        expect(values.filter((value) => value < middle).length).toBeLessThanOrEqual(values.length / 2)
        expect(values.filter((value) => value > middle).length).toBeLessThanOrEqual(values.length / 2)
        expect(median([...values].reverse())).toBe(middle)
      }),
    )
  })

  it('is not a number where there is none', () => {
    expect(median([])).toBeNaN()
  })
})

describe('shuffled', () => {
  it('keeps every item, and the list it got', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 30 }), (items) => {
        const before = [...items]
        expect([...shuffled(items)].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b))
        expect(items).toEqual(before)
      }),
    )
  })
})
