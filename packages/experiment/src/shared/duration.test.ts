import { describe, expect, it } from 'vitest'
import { durationMs, longestRangeMs } from './duration.js'

describe('a duration as Prometheus writes it', () => {
  it.each([
    ['5s', 5_000],
    ['1m30s', 90_000],
    ['250ms', 250],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
    ['0', 0],
    ['5', undefined],
    ['s', undefined],
    ['', undefined],
    ['5x', undefined],
  ])('%s', (text, expected) => {
    expect(durationMs(text)).toBe(expected)
  })
})

describe('the longest range of a query', () => {
  it.each([
    ['up == 0', 0],
    ['rate(a[10s]) > 1', 10_000],
    ['rate(a[10s]) / rate(b[1m30s])', 90_000],
    ['max_over_time(rate(a[1m])[5m:10s])', 300_000],
    ['a{b="[1h]"}', 0],
    ["a{b='[1h]'} + rate(c[5s])", 5_000],
    ['a{b="\\"[1h]"} + rate(c[ 5s ])', 5_000],
    ['a{b=`\\`} + rate(c[5s])', 5_000],
    ['"'.repeat(50_000), 0],
    ['['.repeat(50_000), 0],
  ])('%s', (query, expected) => {
    expect(longestRangeMs(query)).toBe(expected)
  })
})
