import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MetricProbe } from '../model/experiment.js'
import { metricReader, quantileOf } from './metric.js'
import { parsePrometheusText } from './prometheus-text.js'

const probe = (more: Partial<MetricProbe>): MetricProbe => ({ name: 'p', type: 'metric', url: 'http://localhost/', series: 'calls', tolerance: { above: 0 }, ...more })
/** Reads pages, one a second. */
const read = (more: Partial<MetricProbe>, ...pages: readonly string[]): (number | string)[] => {
  const reader = metricReader(probe(more))
  return pages.map((page, second) => {
    try {
      return reader(parsePrometheusText(page), second * 1_000)
    } catch (error) {
      return (error as Error).message
    }
  })
}

describe('a series', () => {
  const page = 'calls{route="a",status="200"} 8\ncalls{route="a",status="503"} 2\ncalls{route="b",status="500"} 5\nhz 99'

  it.each([
    ['is found by its name', { series: 'hz' }, 99],
    ['is found by labels', { labels: { route: 'a', status: '503' } }, 2],
    ['is found by patterns that match all of a label', { labels: { route: 'a' }, labelsMatch: { status: '5..' } }, 2],
    ['is not found by a part of a label', { labelsMatch: { status: '50' } }, 'no series calls with these labels'],
    ['that is not there is no data', { series: 'other' }, 'no series other with these labels'],
    ['that is not there is what `emptyIs` says', { series: 'other', emptyIs: 0 }, 0],
    ['must be one', { labels: { route: 'a' } }, 'expected one series calls, got 2: say `reduce`, or more labels'],
    ['can be the smallest of several', { reduce: 'min' }, 2],
    ['can be the largest of several', { reduce: 'max' }, 8],
    ['can be the sum of several', { reduce: 'sum' }, 15],
    ['can be a share', { labelsMatch: { status: '5..' }, outOf: { series: 'calls' } }, 7 / 15],
    ['can be out of nothing, beyond all bounds', { series: 'hz', outOf: { series: 'other', labels: { a: 'b' } } }, Number.POSITIVE_INFINITY],
  ] as const)('%s', (_title, more: Partial<MetricProbe>, expected) => {
    expect(read(more, page)).toEqual([expected])
  })
})

describe('a window', () => {
  it('looks at the increase over its time, or over what was read so far', () => {
    const pages = [10, 11, 13, 16, 20, 20, 20].map((value) => `calls ${value}`)
    expect(read({ windowMs: 3_000 }, ...pages)).toEqual(['a window needs a second reading', 1, 3, 6, 9, 7, 4])
  })

  it('takes a counter that fell as begun anew, and a series that is new as begun at 0', () => {
    expect(read({ windowMs: 10_000, reduce: 'sum' }, 'calls{a="1"} 100', 'calls{a="1"} 4\ncalls{a="2"} 3')).toEqual([expect.any(String), 7])
  })

  it('makes a share of what happened in it, and of nothing what `emptyIs` says', () => {
    const pages = ['errors 1\ncalls 100', 'errors 3\ncalls 110', 'errors 3\ncalls 110', 'errors 3\ncalls 110']
    const share = { series: 'errors', outOf: { series: 'calls' }, windowMs: 1_000 }
    expect(read(share, ...pages)).toEqual([expect.any(String), 0.2, 'nothing happened in the window', 'nothing happened in the window'])
    expect(read({ ...share, emptyIs: 0 }, ...pages)).toEqual([expect.any(String), 0.2, 0, 0])
  })

  it('makes a quantile of what was observed in it', () => {
    const page = (fast: number, slow: number): string => `calls_bucket{le="10"} ${fast}\ncalls_bucket{le="100"} ${fast + slow}\ncalls_bucket{le="+Inf"} ${fast + slow}`
    expect(read({ quantile: 0.5, windowMs: 1_000 }, page(100, 0), page(100, 10), page(120, 10))).toEqual([expect.any(String), 55, 5])
  })
})

describe('a quantile of a histogram', () => {
  const buckets = (counts: readonly (readonly [string, number])[]): { series: string; labels: { le: string }; value: number }[] => counts.map(([le, value]) => ({ series: 'x_bucket', labels: { le }, value }))

  it.each([
    ['lies straight within its bucket', 0.5, [['1', 0], ['2', 10], ['+Inf', 10]], 1.5],
    ['begins at 0 in the first bucket', 0.5, [['4', 10], ['+Inf', 10]], 2],
    ['is the last finite bound beyond it', 0.99, [['1', 5], ['+Inf', 10]], 1],
    ['of nothing is none', 0.5, [['1', 0], ['+Inf', 0]], Number.NaN],
    ['adds up series with the same bound', 0.5, [['1', 1], ['1', 1], ['2', 2], ['2', 2], ['+Inf', 4]], 1],
    ['stays at a first bound that is not positive', 0.5, [['-1', 10], ['+Inf', 10]], -1],
  ] as const)('%s', (_title, quantile, counts, expected) => {
    expect(quantileOf(quantile, buckets(counts))).toBe(expected)
  })

  it('never leaves the finite bounds, and grows with the quantile', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(counts, fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (added, a, b) => {
        let total = 0
        const cumulative = added.map((count, index) => [index === added.length - 1 ? '+Inf' : String(index + 1), (total += count)] as const)
        fc.pre(total > 0)
        const low = quantileOf(Math.min(a, b), buckets(cumulative))
        const high = quantileOf(Math.max(a, b), buckets(cumulative))
        expect(low).toBeLessThanOrEqual(high)
        expect(low).toBeGreaterThanOrEqual(0)
        expect(high).toBeLessThanOrEqual(added.length - 1)
      }),
    )
  })
})
