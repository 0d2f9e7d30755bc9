import { describe, expect, it } from 'vitest'
import { parseExposition } from './exposition.js'

describe('parseExposition', () => {
  it('reads samples with and without labels, escapes, odd numbers and times', () => {
    const page = [
      '# HELP a A.',
      '# TYPE a gauge',
      'a 1',
      'b{} 2e3 1700000000000',
      'c{x="1",y="a \\"b\\" } \\\\ \\n",} +Inf',
      'd{x="1"} NaN',
      'e -Inf',
      '',
      '',
    ].join('\n')
    expect(parseExposition(page)).toEqual([
      { name: 'a', labels: {}, value: 1 },
      { name: 'b', labels: {}, value: 2_000 },
      { name: 'c', labels: { x: '1', y: 'a "b" } \\ \n' }, value: Infinity },
      { name: 'd', labels: { x: '1' }, value: Number.NaN },
      { name: 'e', labels: {}, value: -Infinity },
    ])
  })

  it.each([
    '<html>',
    'a',
    'a b',
    'a{x="1" 1',
    'a{x=1} 1',
    'a{x="1"}',
    '{x="1"} 1',
    'a 1 2 3',
    '1a 1',
    `a{x="${'x'.repeat(20_000)}"} 1`,
    `a${' '.repeat(9_000)}{`,
  ])('refuses a page with the line %o', (line) => {
    expect(() => parseExposition(`good 1\n${line}\n`)).toThrow('is not a sample in the Prometheus text format')
  })
})
