import { EventEmitter } from 'node:events'
import { inject } from '@chaos/core'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { broken, emitterContract } from '../../test/emitter-contract.js'
import { corruptEvents, type CorruptEventsOptions } from './corrupt-events.js'

emitterContract(() => corruptEvents({ change: 'set', at: 'text', value: null }))

async function corrupted(options: CorruptEventsOptions, payload: unknown): Promise<unknown> {
  const { bus, got } = await broken(corruptEvents(options))
  bus.emit('tick', payload)
  return got[0]
}

describe('corruptEvents', () => {
  it.each<[CorruptEventsOptions, unknown, unknown]>([
    [
      { change: 'set', at: 'order.total', value: null },
      { order: { total: 5, id: 1 } },
      { order: { total: null, id: 1 } },
    ],
    [{ change: 'set', at: 'items.1', value: 'x' }, { items: [1, 2, 3] }, { items: [1, 'x', 3] }],
    [{ change: 'set', at: 'id', value: 2 }, '{"id":1}', '{"id":2}'],
    [{ change: 'set', at: 'id', value: 2 }, Buffer.from('{"id":1}'), Buffer.from('{"id":2}')],
    [{ change: 'set', value: 'garbage' }, Buffer.from('{"id":1}'), Buffer.from('garbage')],
    [{ change: 'set', value: 7 }, 'text', '7'],
    [{ change: 'set', value: null }, { id: 1 }, null],
    [{ change: 'remove', at: 'id' }, { id: 1, n: 2 }, { n: 2 }],
    [{ change: 'remove', at: 'items.0' }, { items: [1, 2] }, { items: [2] }],
    [{ change: 'truncate' }, Buffer.from('abcd'), Buffer.from('ab')],
    [{ change: 'truncate', length: 1 }, new Uint8Array([1, 2, 3]), new Uint8Array([1])],
    [{ change: 'truncate', length: 3 }, '{"id":1}', '{"i'],
    [{ change: 'truncate', at: 'items', length: 0 }, { items: [1, 2] }, { items: [] }],
    [{ change: 'flip-bits', at: 'paid' }, { paid: true }, { paid: false }],
  ])('%o makes of %o %o', async (options, before, after) => {
    expect(await corrupted(options, before)).toEqual(after)
  })

  it('flips so many bits of bytes, in a copy', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.integer({ min: 1, max: 8 }),
        async (bytes, bits) => {
          const before = Uint8Array.from(bytes)
          const after = (await corrupted({ change: 'flip-bits', bits }, bytes)) as Uint8Array
          const flipped = [...after].reduce(
            (sum, byte, index) => sum + (byte ^ (before[index] ?? 0)).toString(2).replaceAll('0', '').length,
            0,
          )
          expect(flipped).toBe(bits)
          expect(bytes).toEqual(before)
        },
      ),
      { numRuns: 50 },
    ))

  it.each([
    ['text', 'hello'],
    ['a number', 12.5],
  ])('flips bits of %s', async (_kind, value) => {
    const after = await corrupted({ change: 'flip-bits', at: 'value' }, { value })
    expect((after as { value: unknown }).value).not.toBe(value)
    expect(typeof (after as { value: unknown }).value).toBe(typeof value)
  })

  it('leaves what the publisher has as it is, and keeps the class of what it copies', async () => {
    class Order {
      constructor(
        readonly id: number,
        readonly lines: number[],
      ) {}
    }
    const order = Object.freeze(new Order(1, [1, 2]))
    const after = await corrupted({ change: 'set', at: 'id', value: 9 }, order)
    expect(order.id).toBe(1)
    expect(after).toBeInstanceOf(Order)
    expect(after).toMatchObject({ id: 9, lines: order.lines })
  })

  it('does not count what it cannot damage', async () => {
    const { bus, got, injection } = await broken(corruptEvents({ change: 'truncate', at: 'text' }))
    const whole = [{}, { text: 5 }, 'no JSON', undefined, { text: '' }]
    for (const payload of whole) bus.emit('tick', payload)
    expect(got).toEqual(whole)
    expect(injection.seen).toBe(0)
  })

  it.each([
    [{}, '`change`'],
    [{ change: 'set' }, 'Expected `value` with the change `set`, got none'],
    [{ change: 'remove' }, 'Expected `at` with the change `remove`'],
    [{ change: 'remove', at: 'x', value: 1 }, 'Expected `value` with the change `set` only'],
    [{ change: 'truncate', bits: 1 }, 'Expected `bits` with the change `flip-bits` only'],
    [{ change: 'truncate', length: -1 }, '`length`'],
  ])('refuses the options %o', (options, words) => {
    expect(() => corruptEvents(options as CorruptEventsOptions)).toThrow(words)
  })

  it.each(['truncate', 'flip-bits'] as const)(
    'copies nothing of an event that it does not affect: %s',
    async (change) => {
      const bus = new EventEmitter().on('tick', () => undefined)
      const payload = Buffer.from('content')
      const injection = await inject(corruptEvents({ change }), bus, { rate: 0 })
      const copies = [vi.spyOn(Buffer, 'from'), vi.spyOn(payload, 'subarray')]
      for (let n = 0; n < 100; n += 1) bus.emit('tick', payload)
      expect([...copies.map(({ mock }) => mock.calls.length), injection.seen, injection.affected]).toEqual([
        0, 0, 100, 0,
      ])
      await injection.rollback()
    },
  )
})
