import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { broken, emitNumbers, range } from '../../test/emitter-contract.js'
import { reorderEvents } from './reorder-events.js'

describe('reorderEvents', () => {
  it('delivers a full window with no event in its place, window after window', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer(),
        async (window, windows, seed) => {
          const { bus, got } = await broken(reorderEvents({ window }), { seed })
          emitNumbers(bus, window * windows)
          for (const start of range(windows).map((index) => index * window)) {
            const part = got.slice(start, start + window)
            expect([...part].sort((a, b) => Number(a) - Number(b))).toEqual(range(window).map((n) => start + n))
            expect(part.every((n, index) => n !== start + index)).toBe(true)
          }
        },
      ),
      { numRuns: 50 },
    ))

  it('delivers what it has when the time of a window is up', async () => {
    const { bus, got, clock, injection } = await broken(reorderEvents({ window: 10, withinMs: 50 }))
    emitNumbers(bus, 3)
    expect([got, injection.held]).toEqual([[], 3])
    await clock.advance(50)
    expect([...got].sort()).toEqual([0, 1, 2])
    expect(got).not.toEqual([0, 1, 2])
    expect([injection.held, clock.pending]).toEqual([0, 1])
  })

  it('lets events that were not chosen wait, or overtake with order: free', async () => {
    for (const [order, expected] of [
      ['keep', [2, 0, 1, 3]],
      ['free', [1, 2, 0, 3]],
    ] as const) {
      const { bus, got } = await broken(reorderEvents({ window: 2, order }), { every: 2 })
      emitNumbers(bus, 4)
      expect(got).toEqual(expected)
    }
  })

  it('delivers what it holds when it ends, in the order in which it came, once', async () => {
    const { bus, got, injection } = await broken(reorderEvents({ window: 100 }))
    emitNumbers(bus, 20)
    await injection.rollback()
    expect(got).toEqual(range(20))
    expect(injection.account).toMatchObject({ sent: 20, delivered: 20, held: 0 })
  })

  it('keeps names apart', async () => {
    const { bus, got } = await broken(reorderEvents({ window: 2 }))
    bus.on('tock', (n: number) => got.push(`tock ${n}`))
    bus.emit('tick', 1)
    bus.emit('tock', 1)
    bus.emit('tock', 2)
    bus.emit('tick', 2)
    expect(got).toEqual(['tock 2', 'tock 1', 2, 1])
  })

  it('refuses a window of one, or one that does not wait', () => {
    expect(() => reorderEvents({ withinMs: 0 })).toThrow('at least 1')
    expect(() => reorderEvents({ window: 1 })).toThrow('at least 2')
  })
})
