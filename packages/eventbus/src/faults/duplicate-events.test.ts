import { describe, expect, it } from 'vitest'
import { broken, emitNumbers, emitterContract } from '../../test/emitter-contract.js'
import { duplicateEvents } from './duplicate-events.js'

emitterContract(() => duplicateEvents({ copies: 2, spacingMs: 10 }))

describe('duplicateEvents', () => {
  it('delivers copies at once', async () => {
    const { bus, got, injection } = await broken(duplicateEvents({ copies: 2 }))
    emitNumbers(bus, 2)
    expect(got).toEqual([0, 0, 0, 1, 1, 1])
    expect(injection.account).toEqual({ sent: 2, duplicated: 4, delivered: 6, dropped: 0, held: 0, failed: 0 })
  })

  it('spaces copies, and keeps what comes meanwhile behind them', async () => {
    const { bus, got, clock, injection } = await broken(duplicateEvents({ copies: 2, spacingMs: 10 }))
    emitNumbers(bus, 2)
    expect(got).toEqual([0])
    await clock.advance(10)
    expect(got).toEqual([0, 0])
    await clock.advance(10)
    expect(got).toEqual([0, 0, 0, 1, 1, 1])
    expect(injection.account).toEqual({ sent: 2, duplicated: 4, delivered: 6, dropped: 0, held: 0, failed: 0 })
  })

  it('lets copies come late, behind newer events, with order: free', async () => {
    const { bus, got, clock } = await broken(duplicateEvents({ spacingMs: 10, order: 'free' }))
    emitNumbers(bus, 2)
    expect(got).toEqual([0, 1])
    await clock.advance(10)
    expect(got).toEqual([0, 1, 0, 1])
  })

  it('delivers the copies it still holds when it ends, once', async () => {
    const { bus, got, injection } = await broken(duplicateEvents({ copies: 3, spacingMs: 1_000 }))
    emitNumbers(bus, 2)
    await injection.rollback()
    expect(got).toEqual([0, 0, 0, 0, 1, 1, 1, 1])
  })

  it('refuses no copies, and so many that an emit would not come back', () => {
    expect(() => duplicateEvents({ copies: 0 })).toThrow('from 1 to 1000')
    expect(() => duplicateEvents({ copies: 1e9 })).toThrow('from 1 to 1000')
  })
})
