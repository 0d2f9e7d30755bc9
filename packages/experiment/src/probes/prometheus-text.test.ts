import { describe, expect, it } from 'vitest'
import { parsePrometheusText } from './prometheus-text.js'

describe('a page in the Prometheus text format', () => {
  it('is read sample by sample', () => {
    const page = [
      '# HELP hz How fast the loop turns.',
      '# TYPE hz gauge',
      'hz 99.5',
      'up{worker="loop",} 1',
      'lag_bucket{le="+Inf",route="/api/:id"} 12 1395066363000',
      'escaped{text="a \\"b\\"\\n\\\\ {c=\\"d\\"}, e"} 1e3',
      'infinite +Inf',
      'low -Inf',
      'unknown NaN',
      '',
      'no sample at all',
    ].join('\n')
    expect(parsePrometheusText(page)).toEqual([
      { series: 'hz', labels: {}, value: 99.5 },
      { series: 'up', labels: { worker: 'loop' }, value: 1 },
      { series: 'lag_bucket', labels: { le: '+Inf', route: '/api/:id' }, value: 12 },
      { series: 'escaped', labels: { text: 'a "b"\n\\ {c="d"}, e' }, value: 1_000 },
      { series: 'infinite', labels: {}, value: Number.POSITIVE_INFINITY },
      { series: 'low', labels: {}, value: Number.NEGATIVE_INFINITY },
      { series: 'unknown', labels: {}, value: Number.NaN },
    ])
  })
})
