import { EventEmitter } from 'node:events'
import { inject, withFault } from '@chaos/core'
import { describe, expect, it, vi } from 'vitest'
import { broken } from '../../test/emitter-contract.js'
import { corruptEvents, type CorruptEventsOptions } from './corrupt-events.js'

async function corrupted(options: CorruptEventsOptions, payload: unknown): Promise<unknown> {
  const { bus, got } = await broken(corruptEvents(options))
  bus.emit('tick', payload)
  return got[0]
}

describe('corruptEvents', () => {
  it.each<[CorruptEventsOptions, unknown, unknown]>([
    [{ damage: 'set', at: 'id', value: 2 }, Buffer.from('{"id":1}'), Buffer.from('{"id":2}')],
    [{ damage: 'remove', at: 'items.0' }, { items: [1, 2] }, { items: [2] }],
    [{}, Buffer.from('abcd'), Buffer.from('ab')],
    [{ damage: 'empty' }, { id: 1 }, {}],
    [{ change: ({ id }: { id: number }, name) => `${String(name)} ${id}` }, { id: 1 }, 'tick 1'],
  ])('%o makes of %o %o', async (options, before, after) => {
    expect(await corrupted(options, before)).toEqual(after)
  })

  it('garbles the same bits for the same seed', async () => {
    const run = async (seed: number): Promise<unknown[]> => {
      const bus = new EventEmitter()
      const got: unknown[] = []
      bus.on('tick', (text) => got.push(text))
      await withFault(corruptEvents({ damage: 'garble' }), bus, { seed, id: 'garble' }, () => {
        for (let n = 0; n < 10; n += 1) bus.emit('tick', 'a text with some letters in it')
      })
      return got
    }
    expect(await run(1)).toEqual(await run(1))
    expect(await run(1)).not.toEqual(await run(2))
    expect(new Set(await run(1)).size).toBeGreaterThan(1)
  })

  it('passes an event that it does not change, and does not count it', async () => {
    const { bus, got, injection } = await broken(corruptEvents())
    const payloads = [undefined, null, 0, '', [], {}, new Map(), new Date(0), Buffer.alloc(0)]
    for (const payload of payloads) bus.emit('tick', payload)
    expect(got.every((payload, index) => payload === payloads[index])).toBe(true)
    expect([injection.affected, injection.landedAt]).toEqual([0, undefined])
    bus.emit('tick', new Map([[1, 2]]))
    expect([got.at(-1), injection.affected]).toEqual([new Map(), 1])
  })

  it('damages a sparse list of any length without passing its holes', async () => {
    const list: unknown[] = ['first']
    list[4_000_000_000] = 'last'
    const after = (await corrupted({}, list)) as unknown[]
    expect([after.length, Object.keys(after)]).toEqual([2_000_000_000, ['0']])
  })

  it('leaves what the publisher has as it is, and keeps the class of what it copies', async () => {
    class Order {
      constructor(
        readonly id: number,
        readonly lines: number[],
      ) {}
    }
    const order = Object.freeze(new Order(1, [1, 2]))
    const after = await corrupted({ damage: 'set', at: 'id', value: 9 }, order)
    expect(order.id).toBe(1)
    expect(after).toBeInstanceOf(Order)
    expect(after).toMatchObject({ id: 9, lines: order.lines })
  })

  it('passes on a message whose payload cannot be read any more, unchanged', async () => {
    const target = new EventTarget()
    const got: unknown[] = []
    target.addEventListener('tick', (event) => got.push(event))
    let reads = 0
    const event = Object.defineProperty(new Event('tick'), 'detail', {
      get: () => {
        reads += 1
        throw new Error('detached')
      },
    })
    const injection = await inject(corruptEvents({ change: () => 'never' }), target)
    expect(() => target.dispatchEvent(event)).not.toThrow()
    expect([got, injection.account['unreadable']]).toEqual([[event], 1])
    expect(reads).toBeGreaterThan(0)
    await injection.rollback()
  })

  it('does not count what it cannot damage', async () => {
    const { bus, got, injection } = await broken(corruptEvents({ damage: 'truncate', at: 'text' }))
    const whole = [{}, { text: 5 }, 'no JSON', undefined, { text: '' }]
    for (const payload of whole) bus.emit('tick', payload)
    expect(got).toEqual(whole)
    expect(injection.seen).toBe(0)
  })

  it.each([
    [{ damage: 'set' }, 'Option "value" of eventbus/corrupt-events is required'],
    [{ length: -1 }, '`length`'],
    [{ change: () => 1, at: 'id' }, '"change" and "at" of eventbus/corrupt-events exclude each other'],
  ])('refuses the options %o', (options, words) => {
    expect(() => corruptEvents(options as CorruptEventsOptions)).toThrow(words)
  })

  it.each(['truncate', 'garble'] as const)('copies nothing of an event that it does not affect: %s', async (damage) => {
    const bus = new EventEmitter().on('tick', () => undefined)
    const payload = Buffer.from('content')
    const injection = await inject(corruptEvents({ damage }), bus, { rate: 0 })
    const copies = [vi.spyOn(Buffer, 'from'), vi.spyOn(payload, 'subarray')]
    for (let n = 0; n < 100; n += 1) bus.emit('tick', payload)
    expect([...copies.map(({ mock }) => mock.calls.length), injection.seen, injection.affected]).toEqual([0, 0, 100, 0])
    await injection.rollback()
  })
})
