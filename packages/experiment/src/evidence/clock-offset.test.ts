import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { clockOffset, MAX_STEP_MS, ourMoment } from './clock-offset.js'

describe('an offset between two clocks', () => {
  it('is what the quickest answer says, with its error', () => {
    expect(
      clockOffset([
        { at: 1, offsetMs: 40, errorMs: 60 },
        { at: 2, offsetMs: 12, errorMs: 3 },
      ]),
    ).toEqual({ offsetMs: 12, errorMs: 3, steppedMs: 0 })
    expect(clockOffset([])).toBeUndefined()
  })

  it('contains the true one, whatever the network did, as long as no clock was set', () => {
    const trip = fc.record({
      at: fc.integer({ min: 0, max: 60_000 }),
      thereMs: fc.integer({ min: 0, max: 500 }),
      backMs: fc.integer({ min: 0, max: 500 }),
    })
    fc.assert(
      fc.property(
        fc.integer({ min: -4_000_000, max: 4_000_000 }),
        fc.array(trip, { minLength: 1, maxLength: 20 }),
        (offsetMs, trips) => {
          // The answer is from the moment between the way there and the way back.
          const readings = trips.map(({ at, thereMs, backMs }) => ({
            at: at + thereMs + backMs,
            offsetMs: at + thereMs + offsetMs - (at + (thereMs + backMs) / 2),
            errorMs: (thereMs + backMs) / 2,
          }))
          const made = clockOffset(readings)
          expect(Math.abs((made?.offsetMs ?? Number.NaN) - offsetMs)).toBeLessThanOrEqual(made?.errorMs ?? Number.NaN)
          expect(made?.steppedMs).toBe(0)
        },
      ),
    )
  })

  it('shows that a clock was set meanwhile', () => {
    expect(
      clockOffset([
        { at: 1, offsetMs: 0, errorMs: 5 },
        { at: 9, offsetMs: 900, errorMs: 5 },
      ])?.steppedMs,
    ).toBe(890)
    expect(MAX_STEP_MS).toBeLessThan(890)
  })
})

describe('a moment that another clock tells', () => {
  const offset = { offsetMs: 3_600_000, errorMs: 10, steppedMs: 0 }

  it('is placed by our own, with the error of the offset', () => {
    expect(ourMoment(3_605_000, offset, 0, 9_000)).toEqual({ at: 5_010, errorMs: 20, contradictionMs: 0 })
  })

  it('lies between what we asked and what we saw', () => {
    expect(ourMoment(3_605_000, offset, 5_000, 5_002)).toEqual({ at: 5_002, errorMs: 2, contradictionMs: 0 })
    expect(ourMoment(3_605_000, undefined, 4_000, 6_000)).toEqual({ at: 6_000, errorMs: 2_000, contradictionMs: 0 })
  })

  it('contradicts us when it lies outside of that', () => {
    expect(ourMoment(3_609_000, offset, 4_000, 6_000)).toEqual({ at: 6_000, errorMs: 0, contradictionMs: 2_990 })
    expect(ourMoment(3_601_000, offset, 4_000, 6_000)).toEqual({ at: 4_000, errorMs: 0, contradictionMs: 2_990 })
  })
})
