import { EventEmitter } from 'node:events'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { append, delay, drop, observe } from '../../test/faults.js'
import { createChaos } from '../controller/create-chaos.js'
import { defineFault } from '../fault/define-fault.js'
import { ChaosError } from '../basics/errors.js'
import type { InjectionContext } from '../fault/fault.js'
import type { InjectOptions } from './inject-options.js'
import { inject, journal } from './inject.js'
import type { Injection } from './injection.js'
import { withFault } from './with-fault.js'
import { HIT_CHANNEL, LIFE_CYCLE_CHANNEL } from './journal.js'

import { faultContract } from '../testing/fault-contract.js'
import { manualClock } from '../testing/manual-clock.js'
import { shapeDifference, shapeOf } from '../testing/shape.js'

const anything = {
  kind: 'standing',
  summary: 's',
  options: {},
  target: { expects: 'anything', accepts: () => true },
} as const

/** A fault made of the steps of one test. */
const doing = (steps: (context: InjectionContext) => void | Promise<void>, kind: 'standing' | 'instant' = 'standing') =>
  defineFault({
    ...anything,
    kind,
    name: 'test/do-steps',
    inject: (_target: object, _options, context) => steps(context),
  })()

const code = (expected: string): unknown => expect.objectContaining({ code: expected })

for (const [name, cases] of Object.entries({
  'a standing fault': faultContract({
    fault: () => drop(),
    target: () => new EventEmitter().on('tick', () => undefined),
    exercise: (bus, times) => {
      for (let i = 0; i < times; i += 1) bus.emit('tick')
    },
  }),
  'a fault that holds work': faultContract({
    fault: () => delay({ delayMs: 50 }),
    target: () => new EventEmitter().on('tick', () => undefined),
    exercise: (bus, times) => {
      for (let i = 0; i < times; i += 1) bus.emit('tick')
    },
  }),
  'an instant fault': faultContract({
    fault: () => append({ item: 'x' }),
    target: (): string[] => [],
    exercise: () => undefined,
    touched: () => [],
  }),
}))
  describe(`the contract, kept by ${name}`, () => {
    for (const { title, run } of cases) it(title, run)
  })

describe('inject', () => {
  it('rolls back when inject throws, before the error is reported', async () => {
    const undone: string[] = []
    const error = new Error('half way')
    await expect(
      inject(
        doing((context) => {
          context.defer(() => void undone.push('first'))
          context.defer(() => void undone.push('second'))
          throw error
        }),
        {},
      ),
    ).rejects.toBe(error)
    expect(undone).toEqual(['second', 'first'])
  })

  it('rolls back when it ends during an async inject, and leaves no caller waiting', async () => {
    const undone: string[] = []
    const clock = manualClock()
    const arming = inject(
      doing(async (context) => {
        context.defer(() => void undone.push('first'))
        await new Promise(() => undefined)
      }),
      {},
      { clock, leaseMs: 1_000 },
    )
    const refused = expect(arming).rejects.toEqual(code('CHAOS_INJECTION_ENDED'))
    await clock.advance(1_000)
    await refused
    expect(undone).toEqual(['first'])
  })

  it('undoes a step at once that comes after the end, and refuses to patch then', async () => {
    const undone: string[] = []
    let late: InjectionContext | undefined
    const target = { run: () => 1 }
    const injection = await inject(
      doing((context) => void (late = context)),
      target,
    )
    await injection.rollback()
    expect(() => late?.defer(() => void undone.push('late'))).toThrow(code('CHAOS_INJECTION_ENDED'))
    expect(() => late?.patch(target, 'run', () => () => 2)).toThrow(code('CHAOS_INJECTION_ENDED'))
    expect(undone).toEqual(['late'])
    expect(target.run()).toBe(1)
  })

  it('breaks nothing if a listener stops it while it is being armed', async () => {
    const steps = vi.fn()
    const chaos = createChaos({
      environment: 'test',
      targets: {
        it: { object: {}, faults: [defineFault({ ...anything, kind: 'instant', name: 'test/strike', inject: steps })] },
      },
    })
    onTestFinished(() => chaos.close())
    chaos.journal.follow(({ type }) => {
      if (type === 'armed') void chaos.stopAll()
    })
    await expect(chaos.inject('it', 'strike')).rejects.toEqual(code('CHAOS_INJECTION_ENDED'))
    expect(steps).not.toHaveBeenCalled()
  })

  it('warns of a step after the end that cannot be undone, without ending the process', async () => {
    const uncaught = vi.fn()
    process.on('uncaughtException', uncaught)
    onTestFinished(() => void process.off('uncaughtException', uncaught))
    let late: InjectionContext | undefined
    const keep = defineFault({
      ...anything,
      name: 'test/keep',
      inject: (_target: object, _options, context) => void (late = context),
    })
    const chaos = createChaos({ environment: 'test', targets: { it: { object: {}, faults: [keep] } } })
    onTestFinished(() => chaos.close())
    const injection = await chaos.inject('it', 'keep')
    await injection.rollback()
    expect(() => late?.defer(() => Promise.reject(new Error('closed already')))).toThrow(code('CHAOS_INJECTION_ENDED'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(uncaught).not.toHaveBeenCalled()
    expect(chaos.journal.entries.at(-1)).toMatchObject({
      type: 'warning',
      id: injection.id,
      message: expect.stringContaining('closed already') as string,
    })
  })

  it('gives a target a name that fits into an id, whatever its class is called', async () => {
    class Odd {
      static name(): string {
        return 'odd'
      }
      readonly run = 1
    }
    for (const [target, targetName, expected] of [
      [new Odd(), undefined, 'object'],
      [Odd, undefined, 'anonymous'],
      [{}, `\u001b${'x'.repeat(1_000)}`, `\\u001b${'x'.repeat(99)}…`],
    ] as const) {
      const injection = await inject(
        doing(() => undefined),
        target,
        targetName === undefined ? {} : { targetName },
      )
      expect(injection.target).toBe(expected)
      await injection.rollback()
    }
  })

  it('runs every undo step, and reports all failures together', async () => {
    const undone: string[] = []
    const injection = await inject(
      doing((context) => {
        context.defer(() => void undone.push('a'))
        context.defer(() => {
          throw new Error('b broke')
        })
        context.defer(() => Promise.reject(new Error('c broke')))
        context.defer(() => void undone.push('d'))
      }),
      {},
    )
    await expect(injection.rollback()).rejects.toMatchObject({
      code: 'CHAOS_ROLLBACK_FAILED',
      errors: [new Error('c broke'), new Error('b broke')],
    })
    expect(undone).toEqual(['d', 'a'])
    expect((await injection.rollback()).failures).toEqual(['c broke', 'b broke'])
  })

  it('reports both the fault and the undo that failed', async () => {
    const failing = inject(
      doing((context) => {
        context.defer(() => {
          throw new Error('undo')
        })
        throw new Error('fault')
      }),
      {},
    )
    await expect(failing).rejects.toMatchObject({
      code: 'CHAOS_ROLLBACK_FAILED',
      errors: [new Error('fault'), new Error('undo')],
    })
  })

  it('aborts the signal of the fault when it ends, and not before', async () => {
    let signal: AbortSignal | undefined
    const injection = await inject(
      doing((context) => void ({ signal } = context)),
      {},
    )
    expect(signal?.aborted).toBe(false)
    await injection.rollback()
    expect(signal?.aborted).toBe(true)
  })

  it.each([undefined, null, 1, 'bus'])('refuses %s as a target, since it is not an object', async (target) => {
    await expect(
      inject(
        doing(() => undefined),
        target as never,
      ),
    ).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringMatching(/^Expected the target of test\/\S+ to be anything, got /) as string,
    })
  })

  it('reports as the cause why a caller aborted it', async () => {
    const caller = new AbortController()
    const arming = inject(
      doing(() => new Promise(() => undefined)),
      {},
      { signal: caller.signal },
    )
    caller.abort('the caller had enough')
    await expect(arming).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED', cause: 'the caller had enough' })
  })

  it.each([
    [{ rate: 2 }, '`rate` of inject to be a number from 0 to 1, got `2`'],
    [{ rate: Number.NaN }, 'got `NaN`'],
    [{ leaseMs: Number.POSITIVE_INFINITY }, '`leaseMs`'],
    [{ leaseMs: 2 ** 31 }, 'from 0 to 2147483647'],
    [{ limit: 0 }, 'a whole number of at least 1'],
    [{ every: 1.5 }, '`every`'],
    [{ only: [] }, 'a name or glob'],
    [{ rat: 0.5 }, 'Did you mean "rate"?'],
    [{ id: 'x'.repeat(201) }, 'up to 200 letters'],
    [{ id: 'a\u001b[2J' }, 'got `"a\\u001b[2J"`'],
    [{ seed: 'x'.repeat(201) }, 'a string of at most 200 characters'],
    [{ seed: 1e300 }, 'a whole number'],
    [{ only: '*a'.repeat(2_680) }, '4096 together'],
    [{ only: Array.from({ length: 6_000 }, () => '*a*b*c*') }, 'at most 100'],
    [{ limit: 1e300 }, '`limit`'],
  ])('refuses %o before anything happens', async (how, words) => {
    const bus = new EventEmitter()
    const before = shapeOf(bus)
    await expect(inject(drop(), bus, how as object)).rejects.toThrow(words)
    expect(shapeDifference(before, shapeOf(bus))).toBeUndefined()
  })

  it('numbers injections per target, so that a test before this one changes no decision', async () => {
    const bus = new EventEmitter()
    const first = await inject(drop(), bus)
    const second = await inject(drop(), bus, { targetName: 'EventEmitter' })
    const elsewhere = await inject(drop(), new EventEmitter(), { targetName: 'bus' })
    expect([first.id, second.id, elsewhere.id]).toEqual([
      'test/drop-events@EventEmitter#1',
      'test/drop-events@EventEmitter#2',
      'test/drop-events@bus#1',
    ])
    for (const injection of [first, second, elsewhere]) await injection.rollback()
  })

  it('writes a journal and publishes it on diagnostics_channel', async () => {
    const published: unknown[] = []
    const onMessage = (message: unknown): void => void published.push(message)
    for (const name of [LIFE_CYCLE_CHANNEL, HIT_CHANNEL]) {
      subscribe(name, onMessage)
      onTestFinished(() => void unsubscribe(name, onMessage))
    }
    const bus = new EventEmitter()
    const clock = manualClock(5_000)
    const injection = await inject(drop(), bus, { clock, skip: 1, id: 'journalled' })
    bus.emit('tick')
    await clock.advance(10)
    bus.emit('tick')
    await injection.rollback()
    expect(published).toMatchObject([
      { type: 'armed', at: 5_000 },
      { type: 'landed', at: 5_010, injection: { landedAt: 5_010 } },
      { type: 'hit', at: 5_010, id: 'journalled', operation: 'tick', call: 2 },
      { type: 'ended', at: 5_010, injection: { seen: 2, affected: 1, passed: 1, outcome: 'rolled-back' } },
    ])
    expect(journal.entries.slice(-4)).toEqual(published)
  })

  it('keeps order: calls that were not chosen wait behind held ones, counted as passed and reported as queued', async () => {
    const clock = manualClock()
    const got: number[] = []
    const bus = new EventEmitter().on('tick', (n: number) => got.push(n))
    const injection = await inject(delay({ delayMs: 100 }), bus, { clock, every: 3, id: 'order' })
    for (let n = 0; n < 6; n += 1) bus.emit('tick', n)
    expect(got).toEqual([])
    expect(injection.snapshot()).toMatchObject({ seen: 6, affected: 2, passed: 4, queued: 4, held: 6 })
    await clock.advance(100)
    expect(got).toEqual([0, 1, 2, 3, 4, 5])
    await injection.rollback()
  })

  it('strands no call if a listener rolls back on the hit that is about to be held', async () => {
    const clock = manualClock()
    const got: number[] = []
    const bus = new EventEmitter().on('tick', (n: number) => got.push(n))
    const injection = await inject(delay({ delayMs: 1_000 }), bus, { clock })
    onTestFinished(
      journal.follow((entry) => {
        if (entry.type === 'hit') void injection.rollback()
      }),
    )
    bus.emit('tick', 1)
    expect(got).toEqual([1])
    expect(await injection.done).toMatchObject({ affected: 1, held: 0 })
    expect(clock.pending).toBe(0)
  })

  it('releases innermost layers first, so that overlapping delays keep order', async () => {
    const clock = manualClock()
    const got: number[] = []
    const bus = new EventEmitter().on('tick', (n: number) => got.push(n))
    const inner = await inject(delay({ delayMs: 1_000 }), bus, { clock })
    bus.emit('tick', 1)
    const outer = await inject(delay({ delayMs: 1_000 }), bus, { clock })
    bus.emit('tick', 2)
    const chaos = createChaos({ environment: 'test' })
    await chaos.stopAll()
    expect(got).toEqual([1, 2])
    expect([inner.outcome, outer.outcome]).toEqual(['stopped', 'stopped'])
    await chaos.close()
  })

  it('rolls several injections back, last in, first out', async () => {
    const undone: string[] = []
    for (const name of ['first', 'second', 'third'])
      await inject(
        doing((context) => context.defer(() => void undone.push(name))),
        {},
      )
    const chaos = createChaos({ environment: 'test' })
    await chaos.stopAll()
    expect(undone).toEqual(['third', 'second', 'first'])
    await chaos.close()
  })

  it('balances its accounts under any mix of overlapping faults, endings and traffic, and restores the target', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ do: fc.constant('emit' as const), name: fc.constantFrom('a', 'b') }) },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('inject' as const),
          fault: fc.constantFrom('drop', 'delay'),
          rate: fc.constantFrom(0, 0.4, 1),
          leaseMs: fc.integer({ min: 1, max: 50 }),
          limit: fc.integer({ min: 1, max: 4 }),
        }),
      },
      fc.record({ do: fc.constant('roll back' as const), which: fc.nat(20) }),
      fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ do: fc.constant('stop all' as const) }),
      fc.record({ do: fc.constant('add key' as const), name: fc.constantFrom('x', 'y') }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const clock = manualClock()
        const bus = new EventEmitter() as EventEmitter & Record<string, unknown>
        let delivered = 0
        let sent = 0
        bus.on('a', () => (delivered += 1)).on('b', () => (delivered += 1))
        const control = shapeOf(bus)
        const added = new Set<string>()
        const chaos = createChaos({ environment: 'test', clock, seed: 1 })
        const handle = chaos.target('bus', bus, [drop, delay])
        const live = new Set<Awaited<ReturnType<typeof inject>>>()
        const all: Awaited<ReturnType<typeof inject>>[] = []
        const expectBalance = (): void => {
          const dropped = all
            .filter(({ fault }) => fault === 'test/drop-events')
            .reduce((sum, { affected }) => sum + affected, 0)
          const held = all.reduce((sum, injection) => sum + injection.held, 0)
          expect(sent).toBe(delivered + dropped + held)
          for (const { seen, affected, passed } of all) expect(seen).toBe(affected + passed)
        }
        for (const action of steps) {
          switch (action.do) {
            case 'emit':
              sent += 1
              bus.emit(action.name)
              break
            case 'inject': {
              const how = { rate: action.rate, leaseMs: action.leaseMs, limit: action.limit }
              const injection =
                action.fault === 'drop'
                  ? await handle.inject('drop-events', {}, how)
                  : await handle.inject('delay-events', { delayMs: 20 }, how)
              live.add(injection)
              all.push(injection)
              break
            }
            case 'roll back':
              await [...live][action.which % Math.max(1, live.size)]?.rollback()
              break
            case 'advance':
              await clock.advance(action.ms)
              break
            case 'stop all':
              await chaos.stopAll()
              break
            case 'add key':
              bus[action.name] = 1
              added.add(action.name)
          }
          expectBalance()
        }
        await chaos.close()
        expectBalance()
        expect(sent).toBe(
          delivered +
            all.filter(({ fault }) => fault === 'test/drop-events').reduce((sum, { affected }) => sum + affected, 0),
        )
        for (const name of added) Reflect.deleteProperty(bus, name)
        expect(shapeDifference(control, shapeOf(bus))).toBeUndefined()
        expect(clock.pending).toBe(0)
      }),
      { numRuns: 150 },
    )
  })

  it('tells the fault its id', async () => {
    const ids: string[] = []
    const injection = await inject(
      doing(({ id }) => void ids.push(id)),
      {},
      { id: 'told' },
    )
    expect([ids, injection.id]).toEqual([['told'], 'told'])
    await injection.rollback()
  })

  it('shows the counters of a fault, and gives it seeded rolls apart from the decisions', async () => {
    const drawn: number[][] = []
    const rollsOf = async (seed: number): Promise<void> => {
      let count = (): void => undefined
      const injection = await inject(
        doing((context) => {
          const account = context.account('got', 'lost')
          account.got += 2
          count = () => void (account.lost += 1)
          drawn.push([1, 2, 3].map(context.rolls('how long')))
        }),
        {},
        { seed, id: 'counted' },
      )
      expect(injection.account).toEqual({ got: 2, lost: 0 })
      const before = injection.snapshot()
      count()
      expect([before.account, (await injection.rollback()).account]).toEqual([
        { got: 2, lost: 0 },
        { got: 2, lost: 1 },
      ])
    }
    await rollsOf(1)
    await rollsOf(1)
    await rollsOf(2)
    expect(drawn[0]).toEqual(drawn[1])
    expect(drawn[0]).not.toEqual(drawn[2])
    expect(drawn.flat().every((roll) => roll >= 0 && roll < 1)).toBe(true)
  })

  it('repeats its decisions for the same seed in one process, whatever was injected before', async () => {
    const bus = new EventEmitter()
    const run = async (how: InjectOptions = {}): Promise<readonly [string, number[]]> => {
      const heard: number[] = []
      const hear = (index: number): void => void heard.push(index)
      bus.on('tick', hear)
      const injection = await inject(drop(), bus, { seed: 3, rate: 0.5, ...how })
      for (let index = 0; index < 40; index += 1) bus.emit('tick', index)
      await injection.rollback()
      bus.off('tick', hear)
      return [injection.id, heard]
    }
    const first = await run()
    await (await inject(drop(), bus)).rollback()
    expect(await run()).toEqual(first)
    // The seed and the id that a run reports repeat it too.
    expect(await run({ id: first[0] })).toEqual(first)
  })

  it('gives no two injections in force one id, whatever their targets, and repeats the ids in the same order', async () => {
    const run = async (): Promise<(string | undefined)[]> => {
      const [bus, other] = [new EventEmitter(), new EventEmitter()]
      const how = { seed: 3, rate: 0.5 }
      const all = [
        await inject(drop(), other, how),
        await inject(drop(), bus, how),
        await inject(drop(), bus, how),
        await inject(drop(), bus),
        await inject(drop(), bus, { ...how, targetName: 'orders' }),
      ]
      for (const one of all) await one.rollback()
      return all.map(({ id }) => id.split('@')[1])
    }
    const ids = ['EventEmitter#1', 'EventEmitter#2', 'EventEmitter#3', 'EventEmitter#4', 'orders#1']
    expect(await run()).toEqual(ids)
    expect(await run()).toEqual(ids)
  })

  it('refuses an id that is in force on any target of the process, until it has ended', async () => {
    const first = await inject(drop(), new EventEmitter(), { id: 'mine' })
    const again = (): Promise<Injection> => inject(drop(), new EventEmitter(), { id: 'mine' })
    await expect(again()).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: 'The injection id "mine" is in use. Choose another id, or stop that injection first.',
    })
    await first.rollback()
    await (await again()).rollback()
  })

  it('counts lost work, and warns of it once', async () => {
    const injection = await inject(
      doing((context) => {
        for (let i = 0; i < 3; i += 1)
          context.hold({ afterMs: Infinity, run: () => undefined, on: { isGone: () => true } })
      }),
      {},
    )
    const { account } = await injection.rollback()
    expect(account).toEqual({ lost: 3 })
    const warnings = journal.entries.filter((entry) => entry.type === 'warning' && entry.id === injection.id)
    expect(warnings).toMatchObject([
      {
        message:
          'Held work was lost, since the resource it was held on is closed. `account.lost` counts all lost work.',
      },
    ])
  })
})

describe('what JavaScript may pass by mistake', () => {
  it('is refused by inject: the factory of a fault, or any other value', async () => {
    await expect(inject(append as never, [])).rejects.toThrow('Call it: `inject(makeFault(), target)`.')
    await expect(inject({} as never, [])).rejects.toThrow('to be a fault, got `an object`.')
  })

  it('is refused by withFault: the work before the options', async () => {
    const list: string[] = []
    const work = (): void => undefined
    await expect(withFault(append({ item: 'x' }), list, work as never, { rate: 1 } as never)).rejects.toThrow(
      'Pass the work to run as the last argument of `withFault`',
    )
    expect(list).toEqual([])
  })
})

describe('withFault', () => {
  it('injects, runs the work, and rolls back whatever happens', async () => {
    const target = { run: () => 1 }
    const { run } = target
    await expect(
      withFault(observe({ methods: 'run' }), target, (injection) => {
        expect(target.run).not.toBe(run)
        target.run()
        return injection.affected
      }),
    ).resolves.toBe(1)
    expect(target.run).toBe(run)
    await expect(
      withFault(observe({ methods: 'run' }), target, () => Promise.reject(new Error('work'))),
    ).rejects.toThrow('work')
    expect(target.run).toBe(run)
  })

  it('does not let a failed rollback hide the error of the work', async () => {
    const broken = doing((context) =>
      context.defer(() => {
        throw new Error('undo')
      }),
    )
    await expect(
      withFault(broken, {}, () => {
        throw new Error('work')
      }),
    ).rejects.toMatchObject({ code: 'CHAOS_ROLLBACK_FAILED', cause: new Error('work') })
    await expect(withFault(broken, {}, () => 1)).rejects.toBeInstanceOf(ChaosError)
  })
})

describe('a listener that throws', () => {
  it('does not break other listeners', async () => {
    const thrown: unknown[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => thrown.push(error))
    onTestFinished(() => {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    })
    const after = vi.fn()
    const stopFirst = journal.follow(() => {
      throw new Error('follower')
    })
    const stopSecond = journal.follow(after)
    await inject(append({ item: 'x' }), [])
    stopFirst()
    stopSecond()
    expect(after).toHaveBeenCalledTimes(4)
    await vi.waitFor(() => expect(thrown).toHaveLength(4))
  })
})
