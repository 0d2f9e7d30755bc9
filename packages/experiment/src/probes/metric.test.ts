import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quantileOf } from './histogram.js'
import { metricReader, type MetricProbe } from './metric.js'

const probe = (more: Partial<MetricProbe>): MetricProbe => ({
  name: 'p',
  type: 'metric',
  url: 'http://localhost/',
  series: 'calls',
  tolerance: { above: 0 },
  ...more,
})
/** Reads pages, one a second: a number that was read, one in a list where nothing happened, or why there is none. */
const read = (more: Partial<MetricProbe>, ...pages: readonly string[]): (number | readonly number[] | string)[] => {
  const reader = metricReader(probe(more))
  return pages.map((page, second) => {
    try {
      const { value, quality } = reader(page, second * 1_000)
      return quality === 'idle' ? [value] : value
    } catch (error) {
      return (error as Error).message
    }
  })
}

describe('a series', () => {
  const page =
    'calls{route="a",status="200"} 8\ncalls{route="a",status="503"} 2\ncalls{route="b",status="500"} 5\nhz 99'

  it.each([
    ['is found by its name', { series: 'hz' }, 99],
    ['is found by labels', { labels: { route: 'a', status: '503' } }, 2],
    ['is found by patterns that match all of a label', { labels: { route: 'a' }, labelsMatch: { status: '5..' } }, 2],
    ['is not found by a part of a label', { labelsMatch: { status: '50' } }, 'no series calls with these labels'],
    ['that is not there is no data', { series: 'other' }, 'the page has no series other with any labels'],
    [
      'that is not there is no data, whatever `emptyIs` says',
      { series: 'other', emptyIs: 0 },
      'the page has no series other with any labels',
    ],
    [
      'that is there with other labels only is no data',
      { labels: { route: 'c' } },
      'no series calls with these labels',
    ],
    ['that is there with other labels only is what `emptyIs` says', { labels: { route: 'c' }, emptyIs: 0 }, [0]],
    ['has no label that objects have', { labelsMatch: { constructor: '.+' }, emptyIs: 0 }, [0]],
    ['must be one', { labels: { route: 'a' } }, '2 series calls match: add `reduce`, or more labels'],
    ['can be the smallest of several', { reduce: 'min' }, 2],
    ['can be the largest of several', { reduce: 'max' }, 8],
    ['can be the sum of several', { reduce: 'sum' }, 15],
    ['can be a share', { labelsMatch: { status: '5..' }, outOf: { series: 'calls' } }, 7 / 15],
    [
      'can be a share of 0 that is declared by `emptyIs`',
      { labels: { status: '429' }, outOf: { series: 'calls' }, emptyIs: 0 },
      0,
    ],
    [
      'is idle where it is a share of nothing',
      { labels: { status: '429' }, outOf: { series: 'calls', labels: { route: 'c' } }, emptyIs: 0 },
      [0],
    ],
    [
      'is no share of what is not there',
      { outOf: { series: 'other' }, emptyIs: 0 },
      'the page has no series other with any labels',
    ],
    [
      'is no share of nothing, although it is something',
      { series: 'hz', outOf: { series: 'calls', labels: { route: 'c' } }, emptyIs: 0 },
      'the share is undefined: 99 out of 0 of calls',
    ],
  ] as const)('%s', (_title, more: Partial<MetricProbe>, expected) => {
    expect(read(more, page)).toEqual([expected])
  })

  it('that is declared and has not counted yet is what `emptyIs` says', () => {
    expect(read({ emptyIs: 0 }, '# TYPE calls counter\nhz 1')).toEqual([[0]])
    expect(read({ series: 'calls_total', emptyIs: 0 }, '# TYPE calls counter\n# EOF')).toEqual([[0]])
    expect(read({}, '# TYPE calls counter\nhz 1')).toEqual(['no series calls with these labels'])
  })

  it('that is NaN tells that nothing happened, unless the others of it have numbers', () => {
    expect(read({ emptyIs: 0 }, 'calls NaN')).toEqual([[0]])
    expect(read({ reduce: 'max', emptyIs: 0 }, 'calls{a="1"} NaN\ncalls{a="2"} 900')).toEqual(['1 of 2 series are NaN'])
  })

  it('is no data where its line cannot be read, or stands there twice', () => {
    expect(read({}, 'calls 0x10', 'calls 1\ncalls 2')).toEqual([
      expect.stringContaining('line 1 of the page cannot be read'),
      expect.stringContaining('occurs twice'),
    ])
  })
})

const NO_SECOND = expect.stringContaining('needs a second reading') as string

describe('a window', () => {
  it('looks at the increase over its time, or over what was read so far', () => {
    const pages = [10, 11, 13, 16, 20, 20, 20].map((value) => `calls ${value}`)
    expect(read({ windowMs: 3_000 }, ...pages)).toEqual([NO_SECOND, 1, 3, 6, 9, 7, 4])
  })

  it('takes a counter that fell as begun anew, and a series that is new as begun at 0', () => {
    expect(read({ windowMs: 10_000, reduce: 'sum' }, 'calls{a="1"} 100', 'calls{a="1"} 4\ncalls{a="2"} 3')).toEqual([
      expect.any(String),
      7,
    ])
  })

  it('sums what a counter counted before and after it began anew, also when it has passed its old value since', () => {
    expect(read({ windowMs: 10_000 }, 'calls 75', 'calls 90', 'calls 60', 'calls 100')).toEqual([
      NO_SECOND,
      15,
      75,
      115,
    ])
  })

  it('sums over series that come and go', () => {
    const pages = [
      'calls{a="1"} 10',
      'calls{a="1"} 13\ncalls{a="2"} 5',
      'calls{a="2"} 6',
      'calls{a="1"} 20\ncalls{a="2"} 6',
    ]
    expect(read({ windowMs: 10_000, reduce: 'sum' }, ...pages)).toEqual([NO_SECOND, 8, 9, 29])
    // What was counted by a series that went lies behind the window in the end.
    const gone = [
      'calls{a="1"} 10',
      'calls{a="1"} 15\ncalls{a="2"} 1',
      'calls{a="2"} 1',
      'calls{a="2"} 1',
      'calls{a="2"} 1',
    ]
    expect(read({ windowMs: 2_000, reduce: 'sum' }, ...gone)).toEqual([NO_SECOND, 6, 6, 0, 0])
  })

  it('makes a quantile of every observation in it, also of those before a histogram began anew', () => {
    const page = (fast: number, slow: number): string =>
      `calls_bucket{le="10"} ${fast}\ncalls_bucket{le="100"} ${fast + slow}\ncalls_bucket{le="+Inf"} ${fast + slow}`
    expect(read({ quantile: 0.5, windowMs: 10_000 }, page(10, 0), page(10, 30), page(5, 0), page(11, 1))).toEqual([
      NO_SECOND,
      55,
      47.5,
      expect.closeTo(39.03),
    ])
    // One bucket has passed its old value since: the other tells that all of them began anew.
    expect(read({ quantile: 0.5, windowMs: 10_000 }, page(10, 0), page(2, 48))).toEqual([
      NO_SECOND,
      expect.closeTo(10 + (90 * 23) / 48),
    ])
  })

  it('sees no increase of a series that the page no longer knows', () => {
    expect(read({ windowMs: 10_000, emptyIs: 0 }, 'calls 10', 'calls 20', 'renamed 30')).toEqual([
      NO_SECOND,
      10,
      'the page has no series calls with any labels',
    ])
  })

  it('counts what comes back long after it went from 0, whatever it had counted before', () => {
    const pages = [
      'calls{a="1"} 100\ncalls{a="2"} 1',
      'calls{a="1"} 150\ncalls{a="2"} 1',
      ...Array.from({ length: 5 }, () => 'calls{a="2"} 1'),
      'calls{a="1"} 7\ncalls{a="2"} 1',
    ]
    expect(read({ windowMs: 2_000, labels: { a: '1' }, emptyIs: 0 }, ...pages).at(-1)).toBe(7)
  })

  it('takes a series that a page did not know meanwhile for one that began anew', () => {
    const other = '# TYPE other counter\nother 1\n'
    expect(read({ windowMs: 10_000, emptyIs: 0 }, `${other}calls 75`, other, `${other}calls 100`).at(-1)).toBe(100)
    // What is no page of metrics says nothing of it.
    expect(
      read({ windowMs: 10_000, emptyIs: 0 }, `${other}calls 75`, '<html>Bad gateway</html>', `${other}calls 100`).at(
        -1,
      ),
    ).toBe(25)
  })

  it('takes no bucket that a histogram shows later for one that counted in the window', () => {
    const page = (buckets: Readonly<Record<string, number>>): string =>
      Object.entries(buckets)
        .map(([le, count]) => `calls_bucket{le="${le}"} ${count}`)
        .join('\n')
    const more = { quantile: 0.5, windowMs: 10_000 }
    expect(read(more, page({ '10': 1_000, '+Inf': 1_000 }), page({ '1': 900, '10': 1_010, '+Inf': 1_010 }))).toEqual([
      NO_SECOND,
      5.5,
    ])
    // Nor one that was gone from a page.
    expect(
      read(
        more,
        page({ '1': 900, '10': 1_000, '+Inf': 1_000 }),
        page({ '10': 1_000, '+Inf': 1_000 }),
        page({ '1': 900, '10': 1_010, '+Inf': 1_010 }),
      ),
    ).toEqual([NO_SECOND, 'nothing happened', 5.5])
    // All of them begin anew with the histogram.
    expect(read(more, page({ '10': 1_000, '+Inf': 1_000 }), page({ '1': 8, '10': 8, '+Inf': 8 }))).toEqual([
      NO_SECOND,
      0.5,
    ])
  })

  it('begins anew behind a gap, and when the clock was set back', () => {
    const reader = metricReader(probe({ windowMs: 1_000 }))
    const at = (value: number, ms: number): number | string => {
      try {
        return reader(`calls ${value}`, ms).value
      } catch (error) {
        return (error as Error).message
      }
    }
    expect([at(10, 0), at(20, 2_000), at(90, 4_001), at(91, 5_000), at(95, 3_000), at(97, 3_500)]).toEqual([
      NO_SECOND,
      10,
      NO_SECOND,
      1,
      NO_SECOND,
      2,
    ])
  })

  it('refuses what is no counter', () => {
    expect(read({ windowMs: 1_000 }, 'calls NaN', 'calls -1')).toEqual([
      expect.stringContaining('is not a counter: its value is NaN'),
      expect.stringContaining('is not a counter: its value is -1'),
    ])
  })

  it('counts what was counted, however often it begins anew and however often it is read', () => {
    // What happens between two readings: so many calls, perhaps after a restart or with the series gone for a reading.
    const steps = fc.array(fc.record({ added: fc.nat(50), isRestarted: fc.boolean(), isGone: fc.boolean() }), {
      minLength: 1,
      maxLength: 20,
    })
    fc.assert(
      fc.property(fc.nat(100), steps, (start, taken) => {
        let value = start
        let counted = 0
        const pages = [`calls ${value}\n`]
        for (const { added, isRestarted, isGone } of taken) {
          // A restart shows only where the counter falls.
          const restarts = isGone || (isRestarted && added < value)
          value = restarts ? added : value + added
          counted += added
          if (isGone) pages.push('# TYPE calls counter\n')
          pages.push(`calls ${value}\n`)
        }
        expect(read({ windowMs: 100_000 }, ...pages).at(-1)).toBe(counted)
      }),
    )
  })

  it('makes a share of what happened in it, and of nothing what `emptyIs` says', () => {
    const pages = ['errors 1\ncalls 100', 'errors 3\ncalls 110', 'errors 3\ncalls 110', 'errors 3\ncalls 110']
    const share = { series: 'errors', outOf: { series: 'calls' }, windowMs: 1_000 }
    expect(read(share, ...pages)).toEqual([
      expect.any(String),
      0.2,
      'nothing happened in the window',
      'nothing happened in the window',
    ])
    expect(read({ ...share, emptyIs: 0 }, ...pages)).toEqual([expect.any(String), 0.2, [0], [0]])
  })

  it('makes a quantile of what was observed in it', () => {
    const page = (fast: number, slow: number): string =>
      `calls_bucket{le="10"} ${fast}\ncalls_bucket{le="100"} ${fast + slow}\ncalls_bucket{le="+Inf"} ${fast + slow}`
    expect(read({ quantile: 0.5, windowMs: 1_000 }, page(100, 0), page(100, 10), page(120, 10))).toEqual([
      expect.any(String),
      55,
      5,
    ])
  })
})

describe('a quantile of a histogram', () => {
  const buckets = (
    counts: readonly (readonly [string, number])[],
  ): { series: string; labels: { le: string }; value: number }[] =>
    counts.map(([le, value]) => ({ series: 'x_bucket', labels: { le }, value }))

  it.each([
    [
      'lies straight within its bucket',
      0.5,
      [
        ['1', 0],
        ['2', 10],
        ['+Inf', 10],
      ],
      1.5,
    ],
    [
      'begins at 0 in the first bucket',
      0.5,
      [
        ['4', 10],
        ['+Inf', 10],
      ],
      2,
    ],
    [
      'is the last finite bound beyond it',
      0.99,
      [
        ['1', 5],
        ['+Inf', 10],
      ],
      1,
    ],
    [
      'of nothing is none',
      0.5,
      [
        ['1', 0],
        ['+Inf', 0],
      ],
      Number.NaN,
    ],
    [
      'adds up series with the same bound',
      0.5,
      [
        ['1', 1],
        ['1', 1],
        ['2', 2],
        ['2', 2],
        ['+Inf', 4],
      ],
      1,
    ],
    [
      'stays at a first bound that is not positive',
      0.5,
      [
        ['-1', 10],
        ['+Inf', 10],
      ],
      -1,
    ],
  ] as const)('%s', (_title, quantile, counts, expected) => {
    expect(quantileOf(quantile, buckets(counts))).toBe(expected)
  })

  it('is none without a finite bound: everything may lie anywhere', () => {
    expect(() => quantileOf(0.95, buckets([['+Inf', 10]]))).toThrow('the histogram has no bucket with a finite bound')
    expect(quantileOf(0.95, buckets([['+Inf', 0]]))).toBe(Number.NaN)
  })

  it('never leaves the finite bounds, and grows with the quantile', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 6 })
    fc.assert(
      fc.property(
        counts,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (added, a, b) => {
          let total = 0
          const cumulative = added.map(
            (count, index) => [index === added.length - 1 ? '+Inf' : String(index + 1), (total += count)] as const,
          )
          fc.pre(total > 0)
          const low = quantileOf(Math.min(a, b), buckets(cumulative))
          const high = quantileOf(Math.max(a, b), buckets(cumulative))
          expect(low).toBeLessThanOrEqual(high)
          expect(low).toBeGreaterThanOrEqual(0)
          expect(high).toBeLessThanOrEqual(added.length - 1)
        },
      ),
    )
  })
})
