import { describe, expect, it } from 'vitest'
import type { Suite } from '../runner/case.js'
import type { Result } from '../runner/measure-all.js'
import { tablesOf, withTables } from './markdown.js'
import { isRefused, verdictOf } from './verdict.js'

const result = (over: Partial<Result> = {}): Result => ({
  suite: 'calls',
  name: 'armed',
  unit: 'ratio',
  node: '20.0.0',
  isPeer: false,
  bar: { most: 1.05 },
  refused: 1.4,
  median: 1.02,
  low: 1,
  high: 1.1,
  readings: 24,
  bareNs: 60,
  addedNs: 1.2,
  failure: undefined,
  ...over,
})
const measure = (): Promise<{ values: number[] }> => Promise.resolve({ values: [] })
const suite: Suite = {
  name: 'calls',
  title: 'Calls',
  about: 'Calls of things.',
  cases: [
    { name: 'armed', unit: 'ratio', measure },
    { name: 'scoped', pending: 'scopes' },
  ],
}
const machine = { node: '20.0.0', platform: 'linux x64', cpus: '2 × some', date: '2026-01-01' }

describe('a verdict', () => {
  it('rounds as bars are rounded, and counts the time added where the bar names one', () => {
    expect([1.05, 1.0549, 1.056].map((median) => verdictOf(result({ median })))).toEqual(['met', 'met', 'missed'])
    expect(verdictOf(result({ bar: { most: 3, addedNs: 3 }, addedNs: 3.1 }))).toBe('missed')
    expect(verdictOf(result({ bar: undefined }))).toBeUndefined()
  })

  it('is never met by what was not measured, and the fast check refuses that', () => {
    expect(verdictOf(result({ failure: 'no server' }))).toBe('not measured')
    expect(isRefused(result({ failure: 'no server' }))).toBe(true)
    expect(isRefused(result({ median: Number.NaN }))).toBe(true)
  })

  it('of the fast check looks at its margin, not at the bar', () => {
    expect([1.06, 1.4, 1.41].map((median) => isRefused(result({ median })))).toEqual([false, false, true])
  })

  it('of the fast check looks at the low readings of a time, which other work of the machine does not make longer', () => {
    const time = { unit: 'µs', bar: { most: 20 }, refused: 300, median: 400 } as const
    expect([20, 300, 301].map((low) => isRefused(result({ ...time, low })))).toEqual([false, false, true])
    expect(isRefused(result({ ...time, low: Number.NaN }))).toBe(true)
  })
})

describe('the tables', () => {
  it('show bar, spread and what is pending, which is never met', () => {
    const text = tablesOf([suite], [result()], machine)
    expect(text).toContain('Of 1 bars 1 are met.')
    expect(text).toContain('| armed | 1.02 | 1.00 to 1.10 (24) | 60.0 ns | 1.2 ns | ≤ 1.05: met |')
    expect(text).toContain('| scoped | pending: needs scopes | | | | |')
  })

  it('name bars that are missed first, with the version of Node.js where it is another', () => {
    const text = tablesOf([suite], [result({ median: 2, node: '18.0.0' })], machine)
    expect(text).toContain('Of 1 bars 0 are met.\n- missed: Calls, armed, on Node.js 18.0.0: 2.00, bar ≤ 1.05\n')
  })

  it('say of a suite that was measured alone on what that was', () => {
    const other = { ...machine, cpus: '4 × another' }
    const text = tablesOf([suite], [result()], machine, { calls: other })
    expect(text).toContain('Measured on 2026-01-01 with Node.js 20.0.0 on linux x64, 2 × some. Of')
    expect(text).toContain(
      'Calls of things.\n\nMeasured on 2026-01-01 with Node.js 20.0.0 on linux x64, 4 × another.\n',
    )
    expect(tablesOf([suite], [result()], machine)).not.toContain('another')
  })

  it('replace those of the run before, and nothing else of the document', () => {
    const empty = 'before\n<!-- results: written by `npm run bench`, do not edit -->\n<!-- end of results -->\nafter\n'
    const once = withTables(empty, 'one\n')
    expect(withTables(once, 'two\n')).toBe(withTables(empty, 'two\n'))
    expect(once.startsWith('before\n') && once.endsWith('\nafter\n') && once.includes('one')).toBe(true)
    expect(() => withTables('no markers', 'one')).toThrow('Expected a document with the markers')
  })
})
