import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rolls } from './random.js'

describe('rolls', () => {
  it('gives equal rolls for equal names and calls, and numbers from 0 to 1', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.nat(), (seed, injection, operation, call) => {
        const roll = rolls(seed, injection, operation)(call)
        expect(roll).toBe(rolls(seed, injection, operation)(call))
        expect(roll).toBeGreaterThanOrEqual(0)
        expect(roll).toBeLessThan(1)
      }),
    )
  })

  it('distinguishes names that only join to the same text', () => {
    expect(rolls('ab', 'c', 'd')(1)).not.toBe(rolls('a', 'bc', 'd')(1))
    expect(rolls('a', 'bc', 'd')(1)).not.toBe(rolls('a', 'b', 'cd')(1))
  })

  // Fixed seeds, so these either always pass or never do. 27.88 is the 99.9 % quantile of chi-square with 9 degrees of freedom.
  it.each(['1', '2', '3', '42', 'chaos'])('spreads evenly, also from one call to the next (seed %s)', (seed) => {
    const roll = rolls(seed, 'fault@target#1', 'tick')
    const values = Array.from({ length: 100_000 }, (_, call) => roll(call + 1))
    expect(
      chiSquare(
        values.map((value) => Math.floor(value * 10)),
        10,
      ),
    ).toBeLessThan(27.88)
    const pairs = values
      .slice(1)
      .map((value, index) => Math.floor(value * 10) * 10 + Math.floor((values[index] ?? 0) * 10))
    // 148.2 is the 99.9 % quantile with 99 degrees of freedom.
    expect(chiSquare(pairs, 100)).toBeLessThan(148.2)
  })

  it('is uncorrelated between neighbouring seeds', () => {
    const first = Array.from({ length: 10_000 }, (_, seed) => Math.floor(rolls(String(seed), 'i', 'o')(1) * 10))
    expect(chiSquare(first, 10)).toBeLessThan(27.88)
  })
})

function chiSquare(values: readonly number[], bins: number): number {
  const expected = values.length / bins
  const counts = new Array<number>(bins).fill(0)
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}
