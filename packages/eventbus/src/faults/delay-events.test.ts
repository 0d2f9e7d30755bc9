import { EventEmitter, once } from 'node:events'
import { inject, type InjectOptions, type Injection } from '@chaos/core'
import { faultContract, manualClock, shapeDifference, shapeOf, type ManualClock } from '@chaos/core/testing'
import EventEmitter3 from 'eventemitter3'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { delayEvents, type DelayEventsOptions } from './delay-events.js'

/** A bus that measures itself, as applications do: from `emit` until its listeners are called. */
class MeasuredBus extends EventEmitter {
  readonly lagsMs: number[] = []
  readonly #clock: ManualClock
  constructor(clock: ManualClock) {
    super()
    this.#clock = clock
  }
  override emit(name: string | symbol, ...args: unknown[]): boolean {
    return super.emit(name, ...args, this.#clock.now())
  }
  subscribe(name: string): this {
    return this.on(name, (...args: unknown[]) => this.lagsMs.push(this.#clock.now() - (args.at(-1) as number)))
  }
}

for (const [kind, make] of Object.entries({
  'an EventEmitter': () => new EventEmitter().on('tick', () => undefined),
  'a bus that overrides emit': () => new MeasuredBus(manualClock()).on('tick', () => undefined),
  // The same methods, other classes.
  eventemitter3: () => new EventEmitter3().on('tick', () => undefined) as unknown as EventEmitter,
})) {
  describe(`the contract, with ${kind}`, () => {
    const cases = faultContract<EventEmitter>({
      fault: () => delayEvents({ delayMs: 50 }),
      target: make,
      touched: (bus) => [bus, Object.getPrototypeOf(bus) as object],
      exercise: (bus, times) => {
        for (let i = 0; i < times; i += 1) bus.emit('tick', i)
      },
    })
    for (const { title, run } of cases) it(title, run)
  })
}

describe('delayEvents', () => {
  const injections: Injection[] = []
  afterEach(async () => {
    for (const injection of injections.splice(0)) await injection.rollback()
  })
  async function delayed(
    options: DelayEventsOptions,
    how: InjectOptions = {},
  ): Promise<{ bus: EventEmitter; clock: ManualClock; got: unknown[]; injection: Injection }> {
    const clock = manualClock()
    const bus = new EventEmitter()
    const got: unknown[] = []
    bus.on('tick', (value: unknown) => got.push(value))
    const injection = await inject(delayEvents(options), bus, { ...how, clock })
    injections.push(injection)
    return { bus, clock, got, injection }
  }

  it('delivers late, not early, with the arguments and the this of the original', async () => {
    const { bus, clock } = await delayed({ delayMs: 1_000 })
    const listener = vi.fn()
    bus.on('say', listener)
    bus.emit('say', 1, 'two')
    await clock.advance(999)
    expect(listener).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(listener).toHaveBeenCalledExactlyOnceWith(1, 'two')
    expect(listener.mock.contexts).toEqual([bus])
  })

  it('answers at once with what emit answers in health', async () => {
    const { bus } = await delayed({ delayMs: 10 })
    expect(bus.emit('tick')).toBe(true)
    expect(bus.emit('nobody')).toBe(false)
  })

  it('keeps events of one name in order, and other names free of them', async () => {
    const { bus, clock, got, injection } = await delayed({ delayMs: 100 }, { every: 3 })
    bus.on('tock', () => got.push('tock'))
    for (let n = 0; n < 5; n += 1) bus.emit('tick', n)
    bus.emit('once more')
    expect(got).toEqual([])
    bus.emit('tock')
    expect(injection.snapshot()).toMatchObject({ seen: 7, affected: 4, queued: 3, held: 7 })
    await clock.advance(100)
    expect(got).toEqual([0, 1, 2, 3, 4, 'tock'])
  })

  it('lets events overtake with order: free', async () => {
    const { bus, clock, got } = await delayed({ delayMs: 100, order: 'free' }, { every: 2 })
    for (let n = 0; n < 4; n += 1) bus.emit('tick', n)
    expect(got).toEqual([1, 3])
    await clock.advance(100)
    expect(got).toEqual([1, 3, 0, 2])
  })

  it('delivers what it holds when it ends, in order, each event once', async () => {
    const { bus, got, injection } = await delayed({ delayMs: 60_000 })
    for (let n = 0; n < 100; n += 1) bus.emit('tick', n)
    await injection.rollback()
    expect(got).toEqual(Array.from({ length: 100 }, (_, n) => n))
  })

  it('is scoped by exact name or glob', async () => {
    for (const only of ['tick', 't?ck', ['nothing', 'ti*']]) {
      const { bus, got, injection } = await delayed({ delayMs: 10 }, { only })
      const other = vi.fn()
      bus.on('other', other)
      bus.emit('tick', 1)
      bus.emit('other')
      expect(got).toEqual([])
      expect(other).toHaveBeenCalledTimes(1)
      expect(injection.seen).toBe(1)
      await injection.rollback()
    }
  })

  it('holds symbols too', async () => {
    const { bus, clock } = await delayed({ delayMs: 10 })
    const name = Symbol('tick')
    const listener = vi.fn()
    bus.on(name, listener)
    bus.emit(name)
    expect(listener).not.toHaveBeenCalled()
    await clock.advance(10)
    expect(listener).toHaveBeenCalledTimes(1)
  })

  it('lets an error that nobody listens for throw where it is emitted, and holds one that somebody does', async () => {
    const { bus, clock } = await delayed({ delayMs: 10 })
    const error = new Error('nobody listens')
    expect(() => bus.emit('error', error)).toThrow(error)
    const listener = vi.fn()
    bus.on('error', listener)
    bus.emit('error', error)
    expect(listener).not.toHaveBeenCalled()
    await clock.advance(10)
    expect(listener).toHaveBeenCalledExactlyOnceWith(error)
  })

  it('lets newListener and removeListener pass straight through', async () => {
    const { bus, injection } = await delayed({ delayMs: 10 })
    const added = vi.fn()
    const removed = vi.fn()
    bus.on('newListener', added).on('removeListener', removed)
    const listener = (): void => undefined
    bus.on('x', listener).off('x', listener)
    expect([added.mock.calls.length, removed.mock.calls.length]).toEqual([2, 1])
    expect(injection.seen).toBe(0)
  })

  it('keeps once, listener order, and the listeners of the moment of delivery', async () => {
    const { bus, clock } = await delayed({ delayMs: 10 })
    const calls: string[] = []
    const gone = (): void => void calls.push('gone')
    bus
      .once('x', () => calls.push('once'))
      .on('x', gone)
      .on('x', () => calls.push('on'))
      .prependListener('x', () => calls.push('first'))
    bus.emit('x')
    bus.emit('x')
    bus.off('x', gone)
    await clock.advance(10)
    expect(calls).toEqual(['first', 'once', 'on', 'first', 'on'])
    const waiting = once(bus, 'y')
    bus.emit('y', 7)
    await clock.advance(10)
    await expect(waiting).resolves.toEqual([7])
  })

  it("hands an async listener's rejection to whoever got it before", async () => {
    const clock = manualClock()
    const bus = new EventEmitter({ captureRejections: true })
    const error = new Error('async listener')
    const fail = async (): Promise<never> => {
      await Promise.resolve()
      throw error
    }
    bus.on('work', fail as () => void)
    const caught = new Promise((resolve) => bus.on('error', resolve))
    const injection = await inject(delayEvents({ delayMs: 10 }), bus, { clock, only: 'work' })
    injections.push(injection)
    bus.emit('work')
    await clock.advance(10)
    await expect(caught).resolves.toBe(error)
  })

  it("acts on delivery, so that the bus's own lag shows what its listeners feel; on publish it shows nothing", async () => {
    for (const [seam, lagMs] of [
      ['delivery', 1_000],
      ['publish', 0],
    ] as const) {
      const clock = manualClock()
      const bus = new MeasuredBus(clock).subscribe('tick')
      const bystander = new MeasuredBus(clock).subscribe('tick')
      const before = [shapeOf(bus), shapeOf(MeasuredBus.prototype)]
      const injection = await inject(delayEvents({ delayMs: 1_000, seam }), bus, { clock })
      bus.emit('tick')
      bystander.emit('tick')
      expect(bystander.lagsMs).toEqual([0])
      await clock.advance(1_000)
      expect(bus.lagsMs).toEqual([lagMs])
      await injection.rollback()
      expect(shapeDifference(before[0] ?? [], shapeOf(bus))).toBeUndefined()
      expect(shapeDifference(before[1] ?? [], shapeOf(MeasuredBus.prototype))).toBeUndefined()
    }
  })

  it('covers an emit that was assigned to the instance', async () => {
    const clock = manualClock()
    const bus = new EventEmitter()
    const original = bus.emit.bind(bus)
    const assigned: EventEmitter['emit'] = (name, ...args: unknown[]) => original(name, ...args)
    bus.emit = assigned
    const listener = vi.fn()
    bus.on('tick', listener)
    const injection = await inject(delayEvents({ delayMs: 10 }), bus, { clock })
    bus.emit('tick')
    expect(listener).not.toHaveBeenCalled()
    await injection.rollback()
    expect(listener).toHaveBeenCalledTimes(1)
    expect(bus.emit).toBe(assigned)
  })

  it('delivers everything once and in order per name, at any rate, in either order, whenever it ends', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          rate: fc.constantFrom(0, 0.2, 0.7, 1),
          delayMs: fc.nat(30),
          endAfter: fc.nat(40),
          order: fc.constantFrom('keep' as const, 'free' as const),
        }),
        fc.array(fc.record({ name: fc.constantFrom('a', 'b'), waitMs: fc.nat(10) }), { maxLength: 40 }),
        async ({ rate, delayMs, endAfter, order }, events) => {
          const clock = manualClock()
          const bus = new EventEmitter()
          const got: Record<string, number[]> = { a: [], b: [] }
          for (const name of ['a', 'b']) bus.on(name, (n: number) => got[name]?.push(n))
          const injection = await inject(delayEvents({ delayMs, order }), bus, { clock, rate, seed: 1 })
          for (const [n, { name, waitMs }] of events.entries()) {
            if (n === endAfter) await injection.rollback()
            bus.emit(name, n)
            await clock.advance(waitMs)
          }
          await injection.rollback()
          for (const name of ['a', 'b']) {
            const sent = events.flatMap((event, n) => (event.name === name ? [n] : []))
            expect(order === 'keep' ? got[name] : [...(got[name] ?? [])].sort((x, y) => x - y)).toEqual(sent)
          }
          expect(injection.seen).toBe(injection.affected + injection.passed)
        },
      ),
      { numRuns: 100 },
    )
  })

  it.each([
    [{}, '`delayMs`'],
    [{ delayMs: -1 }, 'got `-1`'],
    [{ delayMs: 2 ** 31 }, 'from 0 to 2147483647'],
    [{ delayMs: 1, odrer: 'keep' }, 'Did you mean "order"?'],
  ])('refuses the options %o', (options, words) => {
    expect(() => delayEvents(options as DelayEventsOptions)).toThrow(words)
  })

  it('refuses what is no emitter', async () => {
    await expect(inject(delayEvents({ delayMs: 1 }), { emit: 1 } as never)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
    })
  })
})
