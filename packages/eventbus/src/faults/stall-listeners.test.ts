import { describe, expect, it } from 'vitest'
import { broken, emitNumbers, range } from '../../test/emitter-contract.js'
import { stallListeners } from './stall-listeners.js'

describe('stallListeners', () => {
  it('keeps one listener stuck until it ends, while the others go on', async () => {
    const { bus, got, injection } = await broken(stallListeners({ subscriber: 'stuck' }))
    const worked: number[] = []
    bus.on('tick', function stuck(n: number) {
      worked.push(n)
    })
    emitNumbers(bus, 3)
    expect([got, worked, injection.held]).toEqual([range(3), [], 3])
    await injection.rollback()
    expect(worked).toEqual(range(3))
  })

  it('lets go after a time', async () => {
    const { bus, got, clock } = await broken(stallListeners({ stallMs: 100 }))
    emitNumbers(bus, 2)
    await clock.advance(99)
    expect(got).toEqual([])
    await clock.advance(1)
    expect(got).toEqual([0, 1])
  })

  it('lets a listener of once go with its first event', async () => {
    const { bus, injection } = await broken(stallListeners())
    const got: number[] = []
    bus.once('tock', (n: number) => got.push(n))
    bus.emit('tock', 1)
    await injection.rollback()
    expect([bus.emit('tock', 2), got]).toEqual([false, [1]])
  })
})
