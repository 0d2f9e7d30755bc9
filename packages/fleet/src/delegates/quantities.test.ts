import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationMs, durationText, isByteRate, isPercent, percentText } from './quantities.js'

describe('durations', () => {
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000 }), (ms) => {
        expect(durationMs(durationText(ms))).toBe(ms)
      }),
    )
  })

  it.each([
    ['2h45m', 9_900_000],
    ['1.5h', 5_400_000],
    ['300ms', 300],
    ['.5s', 500],
    ['1.s', 1_000],
    ['10us', 0.01],
    ['10µs', 0.01],
    ['0', 0],
  ])('of Go are understood: %s', (text, ms) => {
    expect(durationMs(text)).toBe(ms)
  })

  it.each(['', '5', '5 m', 'm', '5M', '1d', '-5m', '5m ', '.s', 'x5m', '5m5', undefined, 5, null])(
    'are nothing else: %j',
    (text) => {
      expect(durationMs(text)).toBeUndefined()
    },
  )
})

describe('percentages', () => {
  it('are those of the share, to four decimals and without an exponent', () => {
    expect([0, 1e-6, 0.07, 0.1 + 0.2, 0.57, 1].map(percentText)).toEqual(['0', '0.0001', '7', '30', '57', '100'])
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (share) => {
        expect(isPercent(percentText(share))).toBe(true)
        expect(Math.abs(Number(percentText(share)) - share * 100)).toBeLessThanOrEqual(0.000_051)
      }),
    )
  })

  it.each(['', '100.1', '-1', '1e1', '5%', '.5', '5.', 5, undefined])('are nothing else: %j', (text) => {
    expect(isPercent(text)).toBe(false)
  })
})

describe('byte rates', () => {
  it('have a unit of bytes per second', () => {
    expect(['1bps', '100kbps', '2MBPS', '1gbps', '1tbps'].every(isByteRate)).toBe(true)
    expect(['1', '1mbit', '0bps', '1.5mbps', '-1bps', 'bps', '1 mbps', 1].some(isByteRate)).toBe(false)
  })
})
