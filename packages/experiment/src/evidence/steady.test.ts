import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Sample } from '../probes/read.js'
import { sample } from '../../test/support.js'
import { steadyStretch } from './steady.js'

/** Readings one second apart: `+` good, `-` bad. */
const read = (pattern: string, everyMs = 1_000): Sample[] =>
  Array.from(pattern).map((letter, index) => sample(index, index * everyMs, 1, letter === '+'))

describe('the first steady stretch', () => {
  it.each([
    ['is there from the first reading', ['+++++'], 0, { from: 0, heldAt: 3_000, fromErrorMs: 0 }],
    ['begins behind the last bad reading', ['+-++++'], 0, { from: 2_000, heldAt: 5_000, fromErrorMs: 1_000 }],
    ['begins when the last probe is back', ['-+++++', '--++++'], 0, { from: 2_000, heldAt: 5_000, fromErrorMs: 1_000 }],
    [
      'does not count what one probe broke while another came back',
      ['-+-+++++', '---+++++'],
      0,
      { from: 3_000, heldAt: 6_000, fromErrorMs: 1_000 },
    ],
    ['is broken by one bad reading', ['++-+++-+'], 0, undefined],
    ['is not taken for granted before somebody has read that far', ['+++'], 0, undefined],
    ['counts readings from a moment on only', ['-----+++++'], 5_500, { from: 6_000, heldAt: 9_000, fromErrorMs: 500 }],
    ['is missing without a reading', ['++++', ''], 0, undefined],
    ['is missing without a probe', [], 0, undefined],
  ])('%s', (_title, patterns, since, expected) => {
    expect(
      steadyStretch(
        patterns.map((pattern) => read(pattern)),
        since,
        3_000,
      ),
    ).toEqual(expected)
  })

  it('may have begun as soon as the slowest probe can have been back, however often others were read', () => {
    const [slow, quick] = [read('-+++', 4_000), read('+'.repeat(50), 250)]
    expect(steadyStretch([slow, quick], 0, 3_000)).toEqual({ from: 4_000, fromErrorMs: 4_000, heldAt: 8_000 })
  })

  it('holds what it says: no bad reading inside, none earlier would do, and every probe was read to its end', () => {
    const pattern = fc
      .array(fc.boolean(), { maxLength: 25 })
      .map((flags) => flags.map((flag) => (flag ? '+' : '-')).join(''))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(pattern, fc.integer({ min: 300, max: 1_500 })), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 0, max: 5_000 }),
        fc.integer({ min: 0, max: 5_000 }),
        (patterns, since, holdForMs) => {
          const curves = patterns.map(([letters, everyMs]) => read(letters, everyMs))
          const isStretch = (from: number): boolean =>
            curves.every((samples) => {
              const known = samples.filter(({ at }) => at >= since)
              const state = known.filter(({ at }) => at <= from).at(-1)
              return (
                state?.isGood === true &&
                known.every(({ at, isGood }) => isGood || at < from || at > from + holdForMs) &&
                known.some(({ at }) => at >= from + holdForMs)
              )
            })
          const candidates = [...new Set(curves.flat().map(({ at }) => at))]
            .filter((at) => at >= since)
            .sort((a, b) => a - b)
          const found = steadyStretch(curves, since, holdForMs)
          expect(found?.from).toBe(candidates.find(isStretch))
          if (found !== undefined) expect(found.heldAt).toBeGreaterThanOrEqual(found.from + holdForMs)
        },
      ),
    )
  })
})
