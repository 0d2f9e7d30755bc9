import { EventEmitter, getEventListeners } from 'node:events'
import v8 from 'node:v8'
import { describe, expect, it, onTestFinished } from 'vitest'
import { delay, drop, observe } from '../../test/faults.js'
import { createChaos, target } from '../controller/create-chaos.js'
import { defineFault } from '../fault/define-fault.js'
import { isWatching } from '../process/disabled-watch.js'
import type { Fault } from '../fault/fault.js'
import { inject, journal } from './inject.js'
import { injectedBy, markInjected } from '../process/injected-errors.js'

import { faultContract } from '../testing/fault-contract.js'
import { manualClock } from '../testing/manual-clock.js'
import { shapeDifference, shapeOf } from '../testing/shape.js'

v8.setFlagsFromString('--allow-natives-syntax')
// eslint-disable-next-line @typescript-eslint/no-implied-eval -- the only way to ask V8 how it stores an object
const hasFastProperties = new Function('object', 'return %HasFastProperties(object)') as (object: object) => boolean

class Store {
  readonly #rows = new Map<string, string>()
  get(key: string): Promise<string | undefined> {
    return Promise.resolve(this.#rows.get(key))
  }
}

describe('the ten promises', () => {
  it('1. nothing at rest: identity, own keys, prototype, descriptors and fast properties are as found though the app added a key, no timer and no listener stays', async () => {
    const bus: EventEmitter & { added?: boolean } = new EventEmitter().on('tick', () => undefined)
    const { emit } = bus
    const before = shapeOf(bus)
    const { signal } = new AbortController()
    const clock = manualClock()
    const injection = await inject(delay({ delayMs: 1_000 }), bus, { signal, clock })
    bus.emit('tick')
    bus.setMaxListeners(7)
    bus.added = true
    expect(bus.emit).not.toBe(emit)
    await injection.rollback()
    expect(bus.emit).toBe(emit)
    expect(bus.getMaxListeners()).toBe(7)
    expect(Object.keys(bus).at(-1)).toBe('added')
    expect(hasFastProperties(bus)).toBe(true)
    delete bus.added
    expect(shapeDifference(before, shapeOf(bus))).toBeUndefined()
    expect(clock.pending).toBe(0)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(isWatching()).toBe(false)
  })

  it('2. cheap in force: an async target answers with the very promise it made', async () => {
    const answers: Promise<string | undefined>[] = []
    class Remembering extends Store {
      override get(key: string): Promise<string | undefined> {
        const answer = super.get(key)
        answers.push(answer)
        return answer
      }
    }
    const store = new Remembering()
    const injection = await inject(observe({ methods: 'get' }), store, { rate: 0 })
    expect(store.get('a')).toBe(answers[0])
    await injection.rollback()
  })

  it('3. true to the original: this, name, arity and return value stay, and an injected error differs by nothing but its mark', async () => {
    const store = new Store()
    const injection = await inject(observe({ methods: 'get' }), store)
    expect([store.get.name, store.get.length]).toEqual(['get', 1])
    await expect(store.get('a')).resolves.toBeUndefined()
    await injection.rollback()
    const error = markInjected(
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      'test/refuse',
    )
    expect(injectedBy(error)).toBe('test/refuse')
    expect(
      Reflect.ownKeys(error)
        .filter((key) => key !== 'stack')
        .sort(),
    ).toEqual(['code', 'message'])
    expect(injectedBy(new Error('real'))).toBeUndefined()
  })

  it('4. a lease, not a switch: a fault nobody ends, ends', async () => {
    const clock = manualClock()
    const bus = new EventEmitter()
    const before = shapeOf(bus)
    const injection = await inject(drop(), bus, { clock })
    await clock.advance(59_999)
    expect(injection.status).toBe('active')
    await clock.advance(1)
    expect(injection.outcome).toBe('lease-expired')
    expect(shapeDifference(before, shapeOf(bus))).toBeUndefined()
  })

  it('4. a lease, not a switch: no hit once it is over, though a loop that never yields lets no timer fire', async () => {
    let now = 0
    const stuck = { now: () => now, after: () => () => undefined }
    const got: string[] = []
    const bus = new EventEmitter().on('tick', (n: string) => got.push(n))
    const late = await inject(delay({ delayMs: 60_000 }), bus, { clock: stuck, leaseMs: 1_000, every: 2 })
    const lossy = await inject(drop(), bus, { clock: stuck, leaseMs: 1_000, only: 'tock' })
    bus.emit('tick', 'held')
    bus.emit('tock')
    now = 1_000
    for (let call = 0; call < 1_000; call += 1) bus.emit('tock')
    bus.emit('tick', 'queued')
    bus.emit('tick', 'past the lease')
    expect([late.affected, lossy.affected]).toEqual([1, 1])
    expect(lossy.seen).toBe(lossy.affected + lossy.passed)
    // The loop is over: what it held goes on, in order.
    expect((await late.done).outcome).toBe('lease-expired')
    expect((await lossy.done).outcome).toBe('lease-expired')
    expect(got).toEqual(['held', 'queued', 'past the lease'])
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
  })

  it('4. a lease, not a switch: a stop in the very loop in which it ended works', async () => {
    let now = 0
    const bus = new EventEmitter()
    const injection = await inject(drop(), bus, {
      clock: { now: () => now, after: () => () => undefined },
      leaseMs: 1_000,
    })
    now = 5_000
    expect(bus.emit('tick')).toBe(false)
    const stopping = injection.rollback()
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
    expect((await stopping).outcome).toBe('rolled-back')
  })

  it('5. the kill switch is instant: no hit after stopAll was called, held work is released, with 1,000 faults and 10,000 held operations; a failing undo stops no other', async () => {
    const clock = manualClock()
    const delivered: number[] = []
    // The app goes on while it is given what was held.
    const bus: EventEmitter = new EventEmitter().on('tick', (n: number) => {
      delivered.push(n)
      if (n % 1_000 === 0) bus.emit('tock')
    })
    let undone = false
    const failing = defineFault({
      name: 'test/fail-undo',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: '', accepts: () => true },
      inject: (_bus: EventEmitter, _options, context) => {
        context.defer(() => void (undone = true))
        context.defer(() => {
          throw new Error('undo')
        })
      },
    })
    const chaos = createChaos({ environment: 'test', clock, targets: { bus: target(bus, [delay, drop, failing]) } })
    const holding = await chaos.inject('bus', 'delay-events', { delayMs: 50_000 })
    for (let n = 0; n < 10_000; n += 1) bus.emit('tick', n)
    expect(holding.held).toBe(10_000)
    const others = await Promise.all(
      Array.from({ length: 999 }, () => chaos.inject('bus', 'drop-events', {}, { rate: 0.5 })),
    )
    await chaos.inject('bus', 'fail-undo')
    const stopping = chaos.stopAll()
    expect(delivered).toEqual(Array.from({ length: 10_000 }, (_, n) => n))
    bus.emit('tick', -1)
    expect(others.every(({ affected }) => affected === 0)).toBe(true)
    expect(undone).toBe(true)
    await expect(stopping).rejects.toMatchObject({ code: 'CHAOS_ROLLBACK_FAILED', errors: [new Error('undo')] })
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
    expect(clock.pending).toBe(0)
    await chaos.close()
  })

  it('5. the kill switch is instant: what is released passes none of the layers that end with it, however many lie on one bus', async () => {
    const clock = manualClock()
    let passes = 0
    const counting = defineFault({
      name: 'test/count-passes',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: '', accepts: () => true },
      inject: (bus: EventEmitter, _options, context) => {
        context.patch(
          bus,
          'emit',
          (below) =>
            function (this: unknown, ...args: unknown[]): unknown {
              passes += 1
              const run = (): void => void Reflect.apply(below.call, this, args)
              if (context.operation(args[0] as string).shouldInject(args))
                context.hold({ afterMs: 60_000, order: 'tick', run })
              else if (context.isHolding('tick')) context.queue({ order: 'tick', run })
              else run()
              return true
            },
        )
      },
    })
    const got: number[] = []
    const bus = new EventEmitter().on('tick', (n: number) => got.push(n))
    const chaos = createChaos({ environment: 'test', clock, targets: { bus: target(bus, [counting]) } })
    const injections = []
    // Each lower one holds some as well, and lets the rest wait behind them.
    for (let fault = 0; fault < 100; fault += 1)
      injections.push(await chaos.inject('bus', 'count-passes', {}, { every: 2, skip: 99 - fault, limit: 20 }))
    for (let n = 0; n < 1_000; n += 1) bus.emit('tick', n)
    expect(injections.reduce((sum, { held }) => sum + held, 0)).toBe(1_000)
    passes = 0
    const stopping = chaos.stopAll()
    expect(passes).toBe(0)
    expect(got).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
    await stopping
    await chaos.close()
  })

  it('6. off unless asked: refused in production even if named, without an environment and when disabled, while the app goes on untouched', async () => {
    const before = process.env['NODE_ENV']
    onTestFinished(() => {
      process.env['NODE_ENV'] = before
      delete process.env['CHAOS_DISABLED']
      delete process.env['CHAOS_ALLOW_ENVIRONMENT']
    })
    const bus = new EventEmitter()
    const shape = shapeOf(bus)
    process.env['CHAOS_ALLOW_ENVIRONMENT'] = 'production'
    for (const environment of ['production', undefined]) {
      if (environment === undefined) delete process.env['NODE_ENV']
      else process.env['NODE_ENV'] = environment
      const chaos = createChaos({ allowEnvironments: ['test', 'production'], targets: { bus: target(bus, [drop]) } })
      await expect(chaos.inject('bus', 'drop-events')).rejects.toMatchObject({ code: 'CHAOS_ENVIRONMENT_REFUSED' })
      expect((await chaos.info()).refusal).toMatch(/^(Faults are not injected|No environment is set)/)
      await chaos.close()
    }
    process.env['NODE_ENV'] = 'production'
    await expect(inject(drop(), bus)).rejects.toMatchObject({ code: 'CHAOS_ENVIRONMENT_REFUSED' })
    process.env['NODE_ENV'] = 'test'
    process.env['CHAOS_DISABLED'] = '1'
    await expect(inject(drop(), bus)).rejects.toMatchObject({ code: 'CHAOS_DISABLED' })
    expect(shapeDifference(shape, shapeOf(bus))).toBeUndefined()
  })

  it('7. typos are errors, and an injection that hit nothing says so', async () => {
    const bus = new EventEmitter()
    expect(() => delay({ dealyMs: 1 } as never)).toThrow('Did you mean "delayMs"?')
    await expect(inject(drop(), bus, { rate: -0.1 })).rejects.toMatchObject({ code: 'CHAOS_INVALID_OPTION' })
    const injection = await inject(drop(), bus, { only: 'tcik' })
    bus.emit('tick')
    const state = await injection.rollback()
    expect(state).toMatchObject({ landedAt: undefined, seen: 0, affected: 0 })
    expect(journal.entries.at(-1)).toMatchObject({ type: 'ended', injection: { landedAt: undefined } })
  })

  it('8. same seed, same run, whatever else is called in between', async () => {
    const run = async (seed: number, between = 0): Promise<number[]> => {
      const got: number[] = []
      const bus = new EventEmitter().on('tick', (n: number) => got.push(n))
      const injection = await inject(drop(), bus, { seed, rate: 0.5 })
      for (let n = 0; n < 100; n += 1) {
        bus.emit('tick', n)
        for (let other = 0; other < between; other += 1) bus.emit('other')
      }
      await injection.rollback()
      return got
    }
    expect(await run(1)).toEqual(await run(1))
    expect(await run(1, 3)).toEqual(await run(1))
    expect(await run(1)).not.toEqual(await run(2))
  })

  it('9. accounts balance: sent = delivered + dropped + held, at any instant', async () => {
    const clock = manualClock()
    let delivered = 0
    const bus = new EventEmitter().on('tick', () => (delivered += 1))
    const late = await inject(delay({ delayMs: 10 }), bus, { clock, rate: 0.5, seed: 1 })
    const lossy = await inject(drop(), bus, { clock, rate: 0.3, seed: 2 })
    for (let sent = 1; sent <= 500; sent += 1) {
      bus.emit('tick')
      expect(sent).toBe(delivered + lossy.affected + late.held)
      if (sent % 7 === 0) await clock.advance(3)
    }
    await late.rollback()
    expect(500).toBe(delivered + lossy.affected)
    await lossy.rollback()
  })

  it('10. one conformance suite: it catches a fault that breaks a promise', async () => {
    const base = {
      name: 'test/keep-wrapping',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: 'a bus', accepts: (value: unknown) => value instanceof EventEmitter },
    } as const
    const leaking = defineFault({
      ...base,
      inject: (bus: EventEmitter, _options, context) => {
        const operation = context.operation('tick')
        const original = bus.emit.bind(bus)
        bus.emit = (name, ...args: unknown[]) => operation.shouldInject(args) || original(name, ...args)
      },
    })
    const uncounted = defineFault({
      ...base,
      inject: (bus: EventEmitter, _options, context) => context.patch(bus, 'emit', () => () => true),
    })
    const lying = defineFault({
      ...base,
      inject: (bus: EventEmitter, _options, context) => {
        const operation = context.operation('tick')
        context.patch(
          bus,
          'emit',
          () =>
            (...args: unknown[]) =>
              void operation.shouldInject(args),
        )
      },
    })
    expect(await failuresOf(lying)).toEqual(['affects nothing at rate 0, and reports no hit'])
    expect(await failuresOf(leaking)).toContain('restores the target, and a second rollback is harmless')
    expect(await failuresOf(uncounted)).toContain('affects nothing at rate 0, and reports no hit')
    expect(await failuresOf(drop)).toEqual([])
  })
})

/** The titles of the contract's cases that a fault fails. */
async function failuresOf(fault: () => Fault<EventEmitter>): Promise<string[]> {
  const failed: string[] = []
  const came = new WeakMap<EventEmitter, number>()
  const cases = faultContract({
    fault,
    target: () => {
      const bus = new EventEmitter()
      return bus.on('tick', () => came.set(bus, (came.get(bus) ?? 0) + 1))
    },
    exercise: (bus, times) => {
      for (let i = 0; i < times; i += 1) bus.emit('tick')
    },
    cameThrough: (bus) => came.get(bus) ?? 0,
  })
  for (const { title, run } of cases) await run().catch(() => failed.push(title))
  return failed
}
