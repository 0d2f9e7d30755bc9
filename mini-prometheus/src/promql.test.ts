import { describe, expect, it } from 'vitest'
import { compile, durationMs } from './promql.js'
import { SeriesStore } from './series.js'

/** A store with one point a second, from 0 to 10 s. */
function store(series: Readonly<Record<string, (second: number) => number>>): SeriesStore {
  const made = new SeriesStore(60_000)
  for (let second = 0; second <= 10; second += 1) {
    made.add(
      second * 1_000,
      Object.entries(series).map(([text, value]) => {
        const [name = '', labels = ''] = text.split('|')
        return {
          name,
          labels: Object.fromEntries(
            labels
              .split(',')
              .filter(Boolean)
              .map((pair) => pair.split('=') as [string, string]),
          ),
          value: value(second),
        }
      }),
    )
  }
  return made
}
const evaluate = (query: string, series: Parameters<typeof store>[0]): unknown => compile(query)(store(series), 10_000)

describe('compile', () => {
  it('selects by labels', () => {
    const series = {
      'http|status=200,route=/a': () => 1,
      'http|status=503,route=/a': () => 2,
      'other|status=503': () => 3,
    }
    expect(evaluate('http{status=~"5.."}', series)).toMatchObject([{ value: 2 }])
    expect(evaluate('http{status!="200"}', series)).toMatchObject([{ value: 2 }])
    expect(evaluate('http{status!~"5.."}', series)).toMatchObject([{ value: 1 }])
    expect(evaluate('nothing', series)).toEqual([])
  })

  it('computes rate and increase of counters, over a reset too', () => {
    expect(evaluate('rate(c[10s])', { c: (second) => 100 + second * 5 })).toMatchObject([
      { value: expect.closeTo(5, 1) as number },
    ])
    expect(evaluate('increase(c[10s])', { c: (second) => 100 + second * 5 })).toMatchObject([
      { value: expect.closeTo(50, 0) as number },
    ])
    const [reset] = evaluate('increase(c[10s])', { c: (second) => (second < 5 ? 100 + second : second - 5) }) as {
      value: number
    }[]
    expect(reset?.value).toBeGreaterThan(0)
    expect(evaluate('increase(c[10s]) > 0', { c: () => 7 })).toEqual([])
  })

  it('estimates quantiles of histograms, and knows nothing without data', () => {
    const buckets = {
      'b|le=0.1': (second: number) => second * 50,
      'b|le=0.2': (second: number) => second * 90,
      'b|le=1': (second: number) => second * 100,
      'b|le=+Inf': (second: number) => second * 100,
    }
    const [median] = evaluate('histogram_quantile(0.5, sum by (le) (rate(b[10s])))', buckets) as { value: number }[]
    expect(median?.value).toBeCloseTo(0.1)
    const [high] = evaluate('histogram_quantile(0.95, rate(b[10s]))', buckets) as { value: number }[]
    expect(high?.value).toBeCloseTo(0.6)
    expect(
      evaluate('histogram_quantile(0.95, rate(b[10s])) > 0', { 'b|le=0.1': () => 0, 'b|le=+Inf': () => 0 }),
    ).toEqual([])
  })

  it('aggregates, divides, compares', () => {
    const series = {
      'e|backend=a,method=get': () => 1,
      'e|backend=a,method=set': () => 3,
      'c|backend=a,method=get': () => 10,
      'c|backend=a,method=set': () => 30,
      'c|backend=b,method=get': () => 1,
    }
    expect(evaluate('sum by (backend) (e) / sum by (backend) (c) > 0.05', series)).toEqual([
      { labels: { backend: 'a' }, value: 0.1 },
    ])
    expect(evaluate('sum(e) / sum(c)', series)).toMatchObject([{ labels: {}, value: 4 / 41 }])
    expect(evaluate('max without (method) (c)', series)).toHaveLength(2)
    expect(evaluate('count(c)', series)).toMatchObject([{ value: 3 }])
    expect(evaluate('c > bool 5', series)).toMatchObject([{ value: 1 }, { value: 1 }, { value: 0 }])
    expect(evaluate('2 * (3 + 1) - -1', series)).toBe(9)
  })

  it('joins vectors with and, or, unless', () => {
    const series = { 'a|i=1': () => 1, 'a|i=2': () => 1, 'b|i=2': () => 5, 'd|j=9': () => 7 }
    expect(evaluate('a and on (i) b', series)).toMatchObject([{ labels: { i: '2' } }])
    expect(evaluate('a unless b', series)).toMatchObject([{ labels: { i: '1' } }])
    expect(evaluate('a == 0 or d > 1', series)).toMatchObject([{ labels: { j: '9' }, value: 7 }])
  })

  it('takes a series that is no longer exported for gone', () => {
    const made = new SeriesStore(60_000)
    made.add(0, [{ name: 'a', labels: {}, value: 1 }])
    made.add(1_000, [])
    expect(compile('a')(made, 1_000)).toEqual([])
  })

  it.each(['rate(', 'sum by (le (x)', 'quantile(0.5, a)', 'deriv(a[5m])', ''])(
    'refuses %o when it is loaded',
    (query) => {
      expect(() => compile(query)).toThrow(SyntaxError)
    },
  )

  it('reads durations', () => {
    expect([durationMs('500ms'), durationMs('10s'), durationMs('1m30s')]).toEqual([500, 10_000, 90_000])
    expect(() => durationMs('10 apples')).toThrow(SyntaxError)
  })
})
