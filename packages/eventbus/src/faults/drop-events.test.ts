import fc from 'fast-check'
import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import { describe, expect, it, vi } from 'vitest'
import { broken, emitNumbers } from '../../test/emitter-contract.js'
import { dropEvents, type DropEventsOptions } from './drop-events.js'

describe('dropEvents', () => {
  it('loses exactly what it reports, at any rate', () =>
    fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(200), async (rate, sent) => {
        const received = vi.fn()
        const bus = new EventEmitter().on('tick', received)
        const drop = await inject(dropEvents(), bus, { rate })
        emitNumbers(bus, sent)
        await drop.rollback()
        expect(received).toHaveBeenCalledTimes(sent - drop.affected)
        expect(drop.account).toEqual({
          sent,
          duplicated: 0,
          delivered: sent - drop.affected,
          dropped: drop.affected,
          held: 0,
          failed: 0,
        })
      }),
      { numRuns: 50 },
    ))

  it('answers as in health', async () => {
    const { bus, got } = await broken(dropEvents())
    expect([bus.emit('tick', 1), bus.emit('nobody')]).toEqual([true, false])
    expect(got).toEqual([])
  })

  it('is scoped by fields of the payload, also of JSON in text and bytes', async () => {
    const ways: readonly ((value: object) => unknown)[] = [
      (value) => value,
      (value) => JSON.stringify(value),
      (value) => Buffer.from(JSON.stringify(value)),
    ]
    for (const wrap of ways) {
      const { bus, got, injection } = await broken(dropEvents({ where: { 'order.country': 'DE', paid: true } }))
      const kept = [
        { order: { country: 'FR' }, paid: true },
        { order: { country: 'DE' } },
        { order: null, paid: true },
      ].map((payload) => wrap(payload))
      for (const payload of [...kept, wrap({ order: { country: 'DE' }, paid: true })]) bus.emit('tick', payload)
      expect(got).toEqual(kept)
      expect(injection.seen).toBe(1)
    }
  })

  it('is scoped by a function of payload and name', async () => {
    const { bus, got, injection } = await broken(
      dropEvents({ where: (payload, name) => name === 'tick' && Number(payload) > 2 }),
      { only: 't*' },
    )
    emitNumbers(bus, 5)
    expect(got).toEqual([0, 1, 2])
    expect(injection.account).toMatchObject({ sent: 2, dropped: 2 })
  })

  it('reaches one subscriber and spares the others, by name, glob or the listener itself', async () => {
    const calls: string[] = []
    const onBilling = (): void => void calls.push('billing')
    const onShipping = (): void => void calls.push('shipping')
    for (const subscriber of ['onBilling', ['nobody', '*Billing'], onBilling]) {
      const { bus, injection } = await broken(dropEvents({ subscriber }))
      bus.on('order', onBilling).once('order', onShipping)
      expect([bus.emit('order'), bus.emit('order')]).toEqual([true, true])
      expect(injection.account).toMatchObject({ sent: 2, dropped: 2 })
    }
    expect(calls).toEqual(['shipping', 'shipping', 'shipping'])
  })

  it('refuses a subscriber where nobody can tell it', async () => {
    expect(() => dropEvents({ seam: 'publish', subscriber: 'x' })).toThrow('`subscriber` needs the seam `delivery`')
    await expect(inject(dropEvents({ subscriber: 'x' }), new EventTarget())).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
    })
  })

  it.each([
    [{ where: { a: {} } }, '`where`'],
    [{ subscriber: '' }, '`subscriber`'],
    [{ seem: 'publish' }, 'Did you mean "seam"?'],
  ])('refuses the options %o', (options, words) => {
    expect(() => dropEvents(options as DropEventsOptions)).toThrow(words)
  })
})
