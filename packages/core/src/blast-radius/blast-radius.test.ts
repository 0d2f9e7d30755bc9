import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { decisions } from './blast-radius.js'
import type { Decisions } from './scoped.js'
import type { BlastRadius } from './blast-radius-options.js'

interface Tried {
  readonly radius: Decisions
  readonly account: { seen: number; affected: number }
  readonly hits: [string, number][]
}

function tried(how: BlastRadius, seed = 's'): Tried {
  const account = { seen: 0, affected: 0 }
  const hits: [string, number][] = []
  const radius = decisions({
    ...how,
    seed,
    injection: 'i',
    account,
    now: () => 0,
    endsAt: () => 1,
    onHit: (name, call) => hits.push([String(name), call]),
    onOverdue: () => undefined,
    onObserverFailed: () => undefined,
    onFilterFailed: () => undefined,
  })
  return { radius, account, hits }
}

const calls = (radius: Decisions, name: string, times: number): boolean[] =>
  Array.from({ length: times }, () => radius.operation(name).shouldInject([]))

const names = fc.constantFrom('a', 'b', 'c')
const radii = fc.record({
  skip: fc.nat(3),
  every: fc.integer({ min: 1, max: 4 }),
  rate: fc.constantFrom(0, 0.3, 0.5, 1),
  limitPerOperation: fc.integer({ min: 1, max: 5 }),
})

describe('decisions', () => {
  it('are equal for equal seeds, under any interleaving of operations', () => {
    fc.assert(
      fc.property(radii, fc.array(names, { maxLength: 60 }), fc.string(), (how, sequence, seed) => {
        const interleaved = tried(how, seed)
        for (const name of sequence) interleaved.radius.operation(name).shouldInject([])
        const oneByOne = tried(how, seed)
        for (const name of [...sequence].sort()) oneByOne.radius.operation(name).shouldInject([])
        expect([...interleaved.hits].sort()).toEqual([...oneByOne.hits].sort())
      }),
    )
  })

  it('spend the limit on hits only', () => {
    fc.assert(
      fc.property(radii, fc.integer({ min: 1, max: 6 }), fc.array(names, { maxLength: 60 }), (how, limit, sequence) => {
        const free = tried(how)
        const limited = tried({ ...how, limit })
        for (const name of sequence) {
          free.radius.operation(name).shouldInject([])
          limited.radius.operation(name).shouldInject([])
        }
        expect(limited.hits).toEqual(free.hits.slice(0, limit))
        expect(limited.account).toEqual({ seen: sequence.length, affected: Math.min(limit, free.hits.length) })
      }),
    )
  })

  it('come in the order: only, skip, every, rate, limit', () => {
    const { radius, account } = tried({ only: 'a', skip: 2, every: 3, limit: 2 })
    expect(calls(radius, 'b', 5)).toEqual([false, false, false, false, false])
    expect(calls(radius, 'a', 10)).toEqual([false, false, true, false, false, true, false, false, false, false])
    expect(account).toEqual({ seen: 10, affected: 2 })
  })

  it('affect every operation by default, none at rate 0', () => {
    expect(calls(tried({}).radius, 'a', 3)).toEqual([true, true, true])
    expect(calls(tried({ rate: 0 }).radius, 'a', 3)).toEqual([false, false, false])
  })

  it('count nothing outside `only`, and nothing after the end', () => {
    const { radius, account } = tried({ only: ['journal:*', 'tick'] })
    expect([
      ...calls(radius, 'journal:write', 1),
      ...calls(radius, 'tick', 1),
      ...calls(radius, 'tock', 1),
      radius.operation(Symbol('tick')).shouldInject([]),
    ]).toEqual([true, true, false, false])
    radius.end()
    expect(calls(radius, 'tick', 1)).toEqual([false])
    expect(account).toEqual({ seen: 2, affected: 2 })
  })

  it.each([
    ['1', [1, '1'], [2, 1.5, Symbol('1')]],
    ['1.5', [1.5, '1.5'], [1, 15]],
    ['0', [0, -0, '0'], [1, Number.NaN]],
    ['*', [1, -0, 1.5, Number.NaN, 'tick'], [Symbol('tick')]],
    [
      ['tick', '7'],
      [7, 'tick'],
      [8, Symbol('7')],
    ],
    ['1?', [10, 12, '1x'], [1, 1.5, 100]],
  ] as const)('let `only: %j` cover events named by numbers', (only, inside, outside) => {
    const { radius, account } = tried({ only })
    const covered = (names: readonly unknown[]): boolean[] =>
      names.map((name) => radius.operation(name as string).shouldInject([]))
    expect(covered(inside)).toEqual(inside.map(() => true))
    expect(covered(outside)).toEqual(outside.map(() => false))
    expect(account.seen).toBe(inside.length)
  })

  it('count a number and its text as one operation, as an emitter does', () => {
    const { radius } = tried({ limitPerOperation: 1 })
    const first = radius.operation(1 as never).shouldInject([])
    expect([first, radius.operation('1').shouldInject([])]).toEqual([true, false])
  })

  it('can depend on the arguments', () => {
    const { radius } = tried({ only: (args, name) => args[0] === 7 && name === 'get' })
    expect([
      radius.operation('get').shouldInject([7]),
      radius.operation('get').shouldInject([8]),
      radius.operation('set').shouldInject([7]),
    ]).toEqual([true, false, false])
  })

  it('say what they cover without counting, even after the end', () => {
    const { radius, account } = tried({ only: (args) => args[0] === 7 })
    const exact = tried({ only: 'get', rate: 0 }).radius
    const covered = (): boolean[] => [
      radius.operation('get').covers(),
      radius.operation('get').covers([7]),
      radius.operation('get').covers([8]),
      exact.operation('get').covers([]),
      exact.operation('set').covers(),
    ]
    expect(covered()).toEqual([true, true, false, true, false])
    radius.end()
    exact.end()
    expect(covered()).toEqual([true, true, false, true, false])
    expect(account.seen).toBe(0)
  })

  it('count a chance as passed until it lands, by the same decisions, and once', () => {
    fc.assert(
      fc.property(radii, fc.array(names, { maxLength: 60 }), fc.string(), (how, sequence, seed) => {
        const { limitPerOperation: _none, ...unlimited } = how
        const [now, later] = [tried(unlimited, seed), tried(unlimited, seed)]
        for (const name of sequence) now.radius.operation(name).shouldInject([])
        const chances = sequence.flatMap((name) => later.radius.operation(name).chance([]) ?? [])
        expect(later.account).toEqual({ seen: sequence.length, affected: 0 })
        for (const chance of chances) expect([chance(), chance()]).toEqual([true, true])
        expect([later.account, later.hits]).toEqual([now.account, now.hits])
      }),
    )
  })

  it('let no chance land beyond the limits, after the end, or outside `only`', () => {
    const { radius, account } = tried({ limit: 1, only: (args) => args[0] === 7 })
    const operation = radius.operation('get')
    expect(operation.chance([8])).toBeUndefined()
    const [first, second] = [operation.chance([7]), operation.chance([7])]
    expect([second?.(), first?.(), first?.()]).toEqual([true, false, false])
    expect(account).toEqual({ seen: 2, affected: 1 })
    const late = tried({})
    const chance = late.radius.operation('get').chance([])
    late.radius.end()
    expect([chance?.(), late.radius.operation('get').chance([])]).toEqual([false, undefined])
    expect(tried({ only: 'get' }).radius.operation('set').chance([])).toBeUndefined()
  })

  it('limit each operation by itself with limitPerOperation', () => {
    const { radius } = tried({ limitPerOperation: 1 })
    expect([...calls(radius, 'a', 2), ...calls(radius, 'b', 2)]).toEqual([true, false, true, false])
  })

  it('stay correct if a bus uses a new name for every event', () => {
    const { radius, account } = tried({ only: ['a', 'b*'], limitPerOperation: 1 })
    expect(calls(radius, 'a', 1)).toEqual([true])
    for (let index = 0; index < 25_000; index += 1) radius.operation(`reply:${index}`).shouldInject([])
    // What is outside may be forgotten, and what is inside not.
    expect([...calls(radius, 'a', 1), ...calls(radius, 'b', 1)]).toEqual([false, true])
    expect(account.seen).toBe(3)
  })

  it('count 10,000 names separately, and others in groups that share one limit', () => {
    const run = (): Tried => {
      const one = tried({ limitPerOperation: 2, rate: 0.5 })
      for (let round = 0; round < 4; round += 1)
        for (let index = 0; index < 30_000; index += 1) one.radius.operation(`reply:${index}`).shouldInject([])
      return one
    }
    const { hits, account } = run()
    const perName = new Map<string, number>()
    for (const [name] of hits) perName.set(name, (perName.get(name) ?? 0) + 1)
    expect(Math.max(...perName.values())).toBe(2)
    expect(account).toEqual({ seen: 120_000, affected: hits.length })
    // Groups: two hits for each of 1,024.
    expect(hits.filter(([name]) => Number(name.slice('reply:'.length)) >= 10_000)).toHaveLength(2_048)
    expect(run().hits).toEqual(hits)
  })

  it('group very long names by their beginning, and count symbols of one description separately', () => {
    const { radius, account } = tried({ limitPerOperation: 1 })
    const long = 'x'.repeat(2_000)
    expect([...calls(radius, `${long}1`, 2), ...calls(radius, `${long}2`, 1)]).toEqual([true, false, false])
    const [one, other] = [Symbol('same'), Symbol('same')]
    expect([
      radius.operation(one).shouldInject([]),
      radius.operation(other).shouldInject([]),
      radius.operation(one).shouldInject([]),
    ]).toEqual([true, true, false])
    expect(account).toEqual({ seen: 6, affected: 3 })
  })

  it('leave a call alone on which the predicate throws, and warn once', () => {
    const failures: unknown[] = []
    const account = { seen: 0, affected: 0 }
    const only = (args: ArrayLike<unknown>): boolean => {
      if (args[0] === undefined) throw new Error('no argument')
      return true
    }
    const radius = decisions({
      only,
      seed: 's',
      injection: 'i',
      account,
      now: () => 0,
      endsAt: () => 1,
      onHit: () => undefined,
      onOverdue: () => undefined,
      onObserverFailed: () => undefined,
      onFilterFailed: (error) => failures.push(error),
    })
    const get = radius.operation('get')
    expect([get.covers([]), get.shouldInject([]), get.shouldInject([]), get.shouldInject([1])]).toEqual([
      false,
      false,
      false,
      true,
    ])
    expect(failures).toEqual([new Error('no argument')])
    expect(account).toEqual({ seen: 1, affected: 1 })
  })

  it.each([
    ['a promise', () => Promise.reject(new Error('too late'))],
    ['a promise of another realm', () => runInNewContext("Promise.reject(new Error('too late'))") as unknown],
    ['a thenable', () => ({ then: () => expect.unreachable('A thenable must not be started.') })],
  ])(
    'leave a call alone on which the predicate answers with %s, and let none reject unheard',
    async (_what, answer) => {
      const failures: unknown[] = []
      const account = { seen: 0, affected: 0 }
      const only = answer as () => boolean
      const radius = decisions({
        only,
        seed: 's',
        injection: 'i',
        account,
        now: () => 0,
        endsAt: () => 1,
        onHit: () => undefined,
        onOverdue: () => undefined,
        onObserverFailed: () => undefined,
        onFilterFailed: (error) => failures.push(error),
      })
      const unheard = vi.fn()
      process.on('unhandledRejection', unheard)
      onTestFinished(() => void process.off('unhandledRejection', unheard))
      expect(radius.operation('get').shouldInject([])).toBe(false)
      await new Promise((resolve) => setImmediate(resolve))
      expect(unheard).not.toHaveBeenCalled()
      expect(failures).toEqual([
        new TypeError('The predicate returned a promise. It must return true or false at once.'),
      ])
    },
  )

  it('affect about the share that was asked for', () => {
    const { radius, account } = tried({ rate: 0.2 }, 'share')
    calls(radius, 'a', 10_000)
    // Fixed seed; five standard deviations (40) around the mean.
    expect(Math.abs(account.affected - 2_000)).toBeLessThan(200)
  })
})
