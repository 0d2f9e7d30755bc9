import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { MAX_TIMER_MS } from '../basics/clock.js'
import { rolls } from '../blast-radius/random.js'
import { delayOf, type DelayOptions } from './delays.js'

const chance = (seed: string): (() => number) => {
  const roll = rolls(seed, 'delays', 'test')
  let drawn = 0
  return () => roll((drawn += 1))
}
const delays = (options: DelayOptions, count: number): number[] => {
  const draw = chance('a seed')
  return Array.from({ length: count }, () => delayOf(options, draw))
}
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

describe('delayOf', () => {
  it('returns the delay as it is, without drawing, if there is no jitter', () => {
    const draw = vi.fn(() => 0.5)
    expect(delayOf({ delayMs: 30, jitterMs: 0, distribution: 'pareto' }, draw)).toBe(30)
    expect(draw).not.toHaveBeenCalled()
  })

  it('fits a timer for every draw', () =>
    fc.assert(
      fc.property(
        fc.constantFrom<DelayOptions['distribution']>('uniform', 'normal', 'exponential', 'pareto'),
        fc.nat(MAX_TIMER_MS),
        fc.nat(MAX_TIMER_MS),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (distribution, delayMs, jitterMs, roll) => {
          const delay = delayOf({ delayMs, jitterMs, distribution }, () => roll)
          expect(delay).toBeGreaterThanOrEqual(0)
          expect(delay).toBeLessThanOrEqual(MAX_TIMER_MS)
        },
      ),
    ))

  it.each([
    ['uniform', 1_000, Math.sqrt(100 ** 2 / 3)],
    ['normal', 1_000, 100],
    ['exponential', 1_100, 100],
    // Shape 3 has a standard deviation of √3 / 2 of the scale, which is twice the mean.
    ['pareto', 1_100, Math.sqrt(3) * 100],
  ] as const)('spreads %s around a mean of %s ms', (distribution, expected, deviation) => {
    const drawn = delays({ delayMs: 1_000, jitterMs: 100, distribution }, 20_000)
    const centre = mean(drawn)
    expect(centre).toBeGreaterThan(expected - 5)
    expect(centre).toBeLessThan(expected + 5)
    const spread = Math.sqrt(mean(drawn.map((delay) => (delay - centre) ** 2)))
    expect(spread / deviation).toBeGreaterThan(0.8)
    expect(spread / deviation).toBeLessThan(1.2)
  })
})
