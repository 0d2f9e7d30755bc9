import { describe, expect, it } from 'vitest'
import { boundsInWords, isWithin } from './tolerance.js'

describe('bounds', () => {
  it.each([
    [{ below: 5 }, 4.9, true],
    [{ below: 5 }, 5, false],
    [{ above: 5 }, 5, false],
    [{ above: 5 }, 5.1, true],
    [{ atLeast: 5 }, 5, true],
    [{ atLeast: 5 }, 4.9, false],
    [{ atMost: 5 }, 5, true],
    [{ atMost: 5 }, 5.1, false],
    [{ equals: 5 }, 5, true],
    [{ equals: 5 }, 5.1, false],
    [{ equals: true }, 1, true],
    [{ equals: true }, 0, false],
    [{ equals: false }, 0, true],
    [{ above: 1, below: 5 }, 3, true],
    [{ above: 1, below: 5 }, 6, false],
    [{ atMost: 5 }, Number.NaN, false],
    [{ atMost: 5 }, Number.POSITIVE_INFINITY, false],
    [{}, Number.NaN, false],
  ])('%j of %d: %s', (tolerance, value, expected) => {
    expect(isWithin(value, tolerance)).toBe(expected)
  })

  it('are said with their signs and unit', () => {
    expect(boundsInWords({ atLeast: 95, below: 105 }, 'Hz')).toBe('< 105 Hz and ≥ 95 Hz')
    expect(boundsInWords({ above: 1 })).toBe('> 1')
    expect(boundsInWords({ atMost: 1, equals: 1 })).toBe('≤ 1 and = 1')
    expect(boundsInWords({ equals: true })).toBe('= true')
  })
})
