import { describe, expect, it } from 'vitest'
import { broken, emitNumbers, range } from '../../test/emitter-contract.js'
import { throttleEvents } from './throttle-events.js'

describe('throttleEvents', () => {
  it('lets so many through in a second, evenly spaced and in order', async () => {
    const { bus, got, clock } = await broken(throttleEvents({ perSecond: 10 }))
    emitNumbers(bus, 25)
    for (const [ms, expected] of [
      [0, 1],
      [99, 1],
      [1, 2],
      [900, 11],
      [1_000, 21],
      [400, 25],
    ] as const) {
      await clock.advance(ms)
      expect(got).toEqual(range(expected))
    }
  })

  it('saves nothing up while it is quiet', async () => {
    const { bus, got, clock } = await broken(throttleEvents({ perSecond: 10 }))
    await clock.advance(10_000)
    emitNumbers(bus, 3)
    expect(got).toEqual([0])
  })

  it('loses what finds the backlog full, and counts it', async () => {
    const { bus, got, clock, injection } = await broken(throttleEvents({ perSecond: 10, backlog: 3 }))
    emitNumbers(bus, 10)
    expect(injection.account).toMatchObject({ sent: 10, delivered: 1, held: 3, dropped: 6 })
    await clock.advance(1_000)
    expect(got).toEqual([0, 1, 2, 3])
    bus.emit('tick', 10)
    expect(got.at(-1)).toBe(10)
  })

  it('shares its rate among all names', async () => {
    const { bus, got, clock } = await broken(throttleEvents({ perSecond: 10 }))
    bus.on('tock', () => got.push('tock'))
    bus.emit('tick', 0)
    bus.emit('tock')
    expect(got).toEqual([0])
    await clock.advance(100)
    expect(got).toEqual([0, 'tock'])
  })

  it('delivers its backlog when it ends, in order, once', async () => {
    const { bus, got, injection } = await broken(throttleEvents({ perSecond: 1 }))
    emitNumbers(bus, 50)
    await injection.rollback()
    expect(got).toEqual(range(50))
  })

  it('refuses to let nothing through', () => {
    expect(() => throttleEvents({ perSecond: 0 })).toThrow('at least 1')
  })
})
