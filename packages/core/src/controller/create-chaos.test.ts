import { EventEmitter } from 'node:events'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { append, delay, drop } from '../../test/faults.js'
import { createChaos, registeredControllers, target, type Chaos, type Targets } from './create-chaos.js'
import type { ChaosController } from './chaos-controller.js'
import { defineFault } from '../fault/define-fault.js'
import { isWatching } from '../process/disabled-watch.js'
import { inject, journal, MAX_IN_FORCE } from '../injection/inject.js'
import type { Injection } from '../injection/injection.js'
import type { ChaosError } from '../basics/errors.js'
import { processState } from '../process/process-state.js'
import { manualClock } from '../testing/manual-clock.js'

const open: { close(): Promise<void> }[] = []
function controller<const T extends Targets>(
  targets: T,
  options: Omit<Parameters<typeof createChaos>[0] & object, 'targets'> = {},
): Chaos<T> {
  const chaos = createChaos({ environment: 'test', seed: 'fixed', ...options, targets })
  open.push(chaos)
  return chaos
}
afterEach(async () => {
  for (const chaos of open.splice(0)) await chaos.close()
})

describe('createChaos', () => {
  it('lists targets and faults as data, and injects by full or short name', async () => {
    const list: string[] = []
    const chaos = controller({ bus: target(new EventEmitter(), [delay, drop]), list: target(list, [append]) })
    expect(await chaos.targets()).toEqual([
      { name: 'bus', faults: ['test/delay-events', 'test/drop-events'] },
      { name: 'list', faults: ['test/append-item'] },
    ])
    expect(await chaos.faults()).toContainEqual({
      name: 'test/delay-events',
      kind: 'standing',
      summary: 'Holds events back.',
      options: {
        type: 'object',
        properties: {
          delayMs: {
            type: 'number',
            minimum: 0,
            maximum: 2147483647,
            description: 'Time each event is held back, in ms.',
          },
        },
        required: ['delayMs'],
        additionalProperties: false,
      },
    })
    const full = await chaos.inject('bus', 'test/delay-events', { delayMs: 5 })
    const short = await chaos.inject('bus', 'drop-events')
    const done = await chaos.inject('list', 'append-item', { item: 'x' })
    expect([full.id, short.id]).toEqual(['test/delay-events@bus#1', 'test/drop-events@bus#1'])
    expect(done).toMatchObject({ status: 'ended', outcome: 'completed', evidence: [{ item: 'x' }] })
    expect((await chaos.injections()).map(({ id, status }) => [id, status])).toEqual([
      ['test/append-item@list#1', 'ended'],
      ['test/delay-events@bus#1', 'active'],
      ['test/drop-events@bus#1', 'active'],
    ])
  })

  it.each([
    ['a target', ['bsu', 'drop-events', {}], 'CHAOS_UNKNOWN_TARGET', 'Did you mean "bus"?'],
    ['a fault', ['bus', 'dorp-events', {}], 'CHAOS_UNKNOWN_FAULT', 'Did you mean "drop-events"?'],
    ['an option', ['bus', 'delay-events', { delay: 5 }], 'CHAOS_INVALID_OPTION', 'Did you mean "delayMs"?'],
    ['a value', ['bus', 'delay-events', { delayMs: '5' }], 'CHAOS_INVALID_OPTION', 'got `"5"`'],
    ['a lease', ['bus', 'drop-events', {}, { leaseMs: 700_000 }], 'CHAOS_INVALID_OPTION', 'at most 600000'],
  ] as const)('refuses %s that it does not know, with a suggestion', async (_what, args, code, words) => {
    const bus = new EventEmitter()
    const { controller: chaos } = controller({ bus: target(bus, [delay, drop]) })
    const refused = chaos.inject(args[0], args[1], args[2], args[3])
    await expect(refused).rejects.toMatchObject({ code })
    await expect(refused).rejects.toThrow(words)
    expect(await chaos.injections()).toEqual([])
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
  })

  it.each<[what: string, ...Parameters<ChaosController['check']>]>([
    ['a target', 'bsu', 'drop-events', {}, {}],
    ['a fault', 'bus', 'dorp-events', {}, {}],
    ['an option', 'bus', 'delay-events', { delay: 5 }, {}],
    ['a value', 'bus', 'delay-events', { delayMs: '5' }, {}],
    ['a missing option', 'bus', 'delay-events', undefined, {}],
    ['a rate', 'bus', 'drop-events', {}, { rate: 2 }],
    ['a blast radius', 'bus', 'drop-events', {}, { raet: 1 } as object],
    ['a lease over the cap', 'bus', 'drop-events', {}, { leaseMs: 700_000 }],
    ['an id in force', 'bus', 'drop-events', {}, { id: 'taken' }],
  ])('refuses %s in a check as it refuses to arm it', async (_what, ...args) => {
    const { controller: chaos } = controller({ bus: target(new EventEmitter(), [delay, drop]) })
    await chaos.inject('bus', 'drop-events', {}, { id: 'taken' })
    const failure = (promise: Promise<unknown>): Promise<unknown> =>
      promise.then(
        () => 'nothing is wrong',
        (error: unknown) => ({ code: (error as ChaosError).code, message: (error as ChaosError).message }),
      )
    const checked = await failure(chaos.check(...args))
    expect(checked).toMatchObject({ code: expect.stringMatching(/^CHAOS_/) as string })
    expect(checked).toEqual(await failure(chaos.inject(...args)))
  })

  it('refuses in a check what the guard or a changed target refuses', async () => {
    let fits = true
    const picky = defineFault({
      name: 'test/picky',
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: 'a fit thing', accepts: () => fits },
      inject: () => undefined,
    })
    const { controller: chaos } = controller({ thing: target({}, [picky]) })
    fits = false
    await expect(chaos.check('thing', 'picky')).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
    vi.stubEnv('CHAOS_DISABLED', '1')
    await expect(chaos.check('thing', 'picky')).rejects.toMatchObject({ code: 'CHAOS_DISABLED' })
    vi.unstubAllEnvs()
  })

  it('checks without arming, counting or writing anything', async () => {
    const bus = new EventEmitter()
    const chaos = controller({ bus: target(bus, [delay, drop]) })
    const heard = vi.fn()
    chaos.controller.follow(heard)
    await chaos.check('bus', 'delay-events', { delayMs: 5 }, { rate: 0.5, leaseMs: 600_000 })
    expect(await chaos.injections()).toEqual([])
    expect(heard).not.toHaveBeenCalled()
    expect(Object.getPrototypeOf(bus)).toBe(EventEmitter.prototype)
    expect((await chaos.inject('bus', 'delay-events', { delayMs: 5 })).id).toBe('test/delay-events@bus#1')
  })

  it('reports the time of the clock that times its injections', async () => {
    const clock = manualClock()
    const chaos = controller({ bus: target(new EventEmitter(), [drop]) }, { clock })
    expect((await chaos.info()).now).toBe(clock.now())
    await clock.advance(1_234)
    const { armedAt } = await chaos.inject('bus', 'drop-events')
    expect((await chaos.info()).now).toBe(armedAt)
  })

  it('stops one injection, remembers it, and refuses an unknown id', async () => {
    const chaos = controller({ bus: target(new EventEmitter(), [drop]) })
    const { id } = await chaos.inject('bus', 'drop-events')
    expect(await chaos.stop(id)).toMatchObject({ outcome: 'stopped' })
    expect(await chaos.stop(id)).toMatchObject({ outcome: 'stopped' })
    await expect(chaos.stop('nobody')).rejects.toMatchObject({ code: 'CHAOS_UNKNOWN_INJECTION' })
  })

  it('refuses a long unknown name quickly, with a short message', async () => {
    const { controller: chaos } = controller({ bus: target(new EventEmitter(), [drop]) })
    const long = 'x'.repeat(200)
    for (let index = 100; index < 220; index += 1)
      await chaos.inject('bus', 'drop-events', {}, { id: `${long.slice(3)}${index}` })
    const hostile = `${'x'.repeat(1_000_000)}\u001b[2J`
    const words = await Promise.all(
      [
        chaos.stop(hostile),
        chaos.inject(hostile, 'drop-events'),
        chaos.inject('bus', hostile),
        chaos.inject('bus', 'drop-events', { [hostile]: 1 }),
        chaos.stop(undefined as never),
      ].map((refused) =>
        refused.then(
          () => '',
          (error: unknown) => (error as Error).message,
        ),
      ),
    )
    for (const message of words) {
      expect(message).toMatch(/^Unknown \w+ "/)
      expect(message.length).toBeLessThan(17_000)
      expect(message).not.toContain('\u001b')
    }
  })

  it('refuses an id that is in force', async () => {
    const chaos = controller({ bus: target(new EventEmitter(), [drop]) })
    await chaos.inject('bus', 'drop-events', {}, { id: 'mine' })
    await expect(chaos.inject('bus', 'drop-events', {}, { id: 'mine' })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
    })
  })

  it('never gives two injections in force the same id, so that stopAll reaches both', async () => {
    const chaos = controller({ bus: target(new EventEmitter(), [drop]) })
    const named = await chaos.inject('bus', 'drop-events', {}, { id: 'test/drop-events@bus#1' })
    const numbered = await chaos.inject('bus', 'drop-events')
    expect(numbered.id).toBe('test/drop-events@bus#2')
    await chaos.stopAll()
    expect([named.outcome, numbered.outcome]).toEqual(['stopped', 'stopped'])
  })

  it('shares no id in force with another controller of the process', async () => {
    const [one, other] = [
      controller({ bus: target(new EventEmitter(), [drop]) }),
      controller({ bus: target(new EventEmitter(), [drop]) }),
    ]
    const how = { seed: 3 }
    const ids = [
      await one.inject('bus', 'drop-events', {}, how),
      await other.inject('bus', 'drop-events', {}, how),
      await one.inject('bus', 'drop-events'),
    ].map(({ id }) => id)
    expect(ids).toEqual(['test/drop-events@bus#1', 'test/drop-events@bus#2', 'test/drop-events@bus#3'])
    await expect(other.check('bus', 'drop-events', {}, { id: ids[0] as string })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
    })
    await other.stop(ids[1] as string)
    expect((await one.controller.injections()).map(({ status }) => status)).toEqual(['active', 'active'])
  })

  it('keeps an injection that takes over an id in the moment in which it is free', async () => {
    const chaos = controller({ bus: target(new EventEmitter(), [drop]) })
    const first = await chaos.inject('bus', 'drop-events', {}, { id: 'mine' })
    const second = new Promise<Injection>((resolve, reject) => {
      const unfollow = chaos.journal.follow(({ type }) => {
        if (type !== 'ended') return
        unfollow()
        chaos.inject('bus', 'drop-events', {}, { id: 'mine' }).then(resolve, reject)
      })
    })
    await first.rollback()
    await second
    expect(await chaos.stop('mine')).toMatchObject({ outcome: 'stopped' })
  })

  it('refuses a short name that two faults share, and accepts their full names', async () => {
    const definition = {
      kind: 'standing',
      summary: '',
      options: {},
      target: { expects: 'anything', accepts: () => true },
      inject: () => undefined,
    } as const
    const ours = defineFault({ ...definition, name: 'ours/slow-down' })
    const theirs = defineFault({ ...definition, name: 'theirs/slow-down' })
    const { controller: chaos } = controller({ thing: target({}, [ours, theirs]) })
    const refused = chaos.inject('thing', 'slow-down')
    await expect(refused).rejects.toMatchObject({ code: 'CHAOS_UNKNOWN_FAULT' })
    await expect(refused).rejects.toThrow(
      'Target "thing" has several faults named "slow-down": `ours/slow-down`, `theirs/slow-down`. Use the full name.',
    )
    expect((await chaos.inject('thing', 'theirs/slow-down')).fault).toBe('theirs/slow-down')
  })

  it.each([
    [{ enviroment: 'test' }, 'Did you mean "environment"?'],
    [
      { allowEnvironments: 'staging' },
      '`allowEnvironments` of createChaos to be a list of environments, got `"staging"`',
    ],
    [{ maxLeaseMs: Number.NaN }, '`maxLeaseMs` of createChaos to be a number of ms from 1 to 2147483647, got `NaN`'],
    [{ maxLeaseMs: 0 }, 'from 1 to'],
    [{ seed: Number.NaN }, '`seed`'],
  ])('refuses %o', (options, words) => {
    expect(() => createChaos(options as object)).toThrow(
      expect.objectContaining({ code: 'CHAOS_INVALID_OPTION', message: expect.stringContaining(words) as string }),
    )
  })

  it('adds a target later, refuses a second one of its name, and removes it with its injections', async () => {
    const chaos = controller({})
    const bus = new EventEmitter()
    const handle = chaos.target('late', bus, [drop])
    expect(() => chaos.target('late', bus, [drop])).toThrow(expect.objectContaining({ code: 'CHAOS_DUPLICATE_TARGET' }))
    const injection = await handle.inject('drop-events')
    await handle.remove()
    expect(injection.outcome).toBe('stopped')
    expect(await chaos.targets()).toEqual([])
  })

  it('refuses an object that a fault does not accept', () => {
    expect(() => controller({ bus: target(Object.create(null) as EventEmitter, [drop]) })).toThrow(
      expect.objectContaining({ code: 'CHAOS_TARGET_MISMATCH' }),
    )
  })

  it.each([
    ['an object that names no faults', new EventEmitter()],
    ['faults in place of their factories', { object: new EventEmitter(), faults: [drop()] }],
  ])('refuses %s as a target, and shows what to write', (_what, definition) => {
    expect(() => controller({ bus: definition as never })).toThrow(
      'The target "bus" must list the factories of its faults: `bus: target(object, [delayEvents, dropEvents])`',
    )
  })

  it('ends every injection of the process with stopAll, and only its own when it is closed', async () => {
    const [mine, other] = [
      controller({ bus: target(new EventEmitter(), [drop]) }),
      controller({ bus: target(new EventEmitter(), [drop]) }),
    ]
    const bare = await inject(drop(), new EventEmitter())
    const [a, b] = [await mine.inject('bus', 'drop-events'), await other.inject('bus', 'drop-events')]
    await mine.close()
    expect([a.status, b.status, bare.status]).toEqual(['ended', 'active', 'active'])
    const late = await mine.inject('bus', 'drop-events')
    const { stopped } = await other.controller.stopAll()
    expect(stopped.map(({ id }) => id)).toEqual([bare.id, b.id, late.id])
    expect([b.outcome, bare.outcome, late.outcome]).toEqual(['stopped', 'stopped', 'stopped'])
  })

  it('ends injections when CHAOS_DISABLED is set meanwhile, and at once when it is asked for info', async () => {
    onTestFinished(() => {
      delete process.env['CHAOS_DISABLED']
    })
    const chaos = controller({ bus: target(new EventEmitter(), [delay]) })
    const got: number[] = []
    const bus = new EventEmitter().on('tick', (n: number) => got.push(n))
    const bare = await inject(delay({ delayMs: 60_000 }), bus)
    const mine = await chaos.inject('bus', 'delay-events', { delayMs: 60_000 })
    bus.emit('tick', 1)
    expect(isWatching()).toBe(true)
    process.env['CHAOS_DISABLED'] = '1'
    expect((await bare.done).outcome).toBe('stopped')
    expect((await mine.done).outcome).toBe('stopped')
    expect(got).toEqual([1])
    expect(isWatching()).toBe(false)
    expect(journal.entries.slice(-2)).toMatchObject([
      { type: 'warning', message: expect.stringContaining('`CHAOS_DISABLED` was set') as string },
      { type: 'ended' },
    ])

    delete process.env['CHAOS_DISABLED']
    const asking = [
      () => chaos.info(),
      () => inject(drop(), bus).catch(() => undefined),
      () => chaos.inject('bus', 'delay-events', { delayMs: 1 }).catch(() => undefined),
    ]
    for (const ask of asking) {
      const injection = await inject(drop(), bus)
      process.env['CHAOS_DISABLED'] = 'true'
      const answer = ask()
      expect(injection.outcome).toBe('stopped')
      await answer
      delete process.env['CHAOS_DISABLED']
    }
  })

  it('refuses more injections than a call stack can hold, and ends all of them', async () => {
    const bus = new EventEmitter().on('tick', () => undefined)
    const chaos = createChaos({ environment: 'test', targets: { bus: target(bus, [drop]) } })
    onTestFinished(() => chaos.close())
    for (let n = processState().live.size; n < MAX_IN_FORCE; n += 1)
      await chaos.inject('bus', 'drop-events', {}, { only: 'tock' })
    await expect(chaos.inject('bus', 'drop-events')).rejects.toMatchObject({ code: 'CHAOS_TOO_MANY_REQUESTS' })
    await expect(chaos.check('bus', 'drop-events')).rejects.toMatchObject({ code: 'CHAOS_TOO_MANY_REQUESTS' })
    expect(bus.emit('tick')).toBe(true)
    await chaos.stopAll()
    await chaos.inject('bus', 'drop-events')
  })

  it('stops whatever the guard says', async () => {
    onTestFinished(() => {
      delete process.env['CHAOS_DISABLED']
    })
    const chaos = controller({ bus: target(new EventEmitter(), [drop]) })
    const [one, two, three] = [
      await chaos.inject('bus', 'drop-events'),
      await chaos.inject('bus', 'drop-events'),
      await chaos.inject('bus', 'drop-events'),
    ]
    process.env['CHAOS_DISABLED'] = '1'
    expect((await chaos.stop(one.id)).outcome).toBe('stopped')
    expect((await two.rollback()).outcome).toBe('rolled-back')
    expect((await chaos.stopAll()).stopped.map(({ id }) => id)).toEqual([three.id])
    await chaos.close()
  })

  it('passes journal entries to followers until they stop', async () => {
    const clock = manualClock()
    const chaos = controller({ bus: target(new EventEmitter(), [drop]) }, { clock })
    const listener = vi.fn()
    const unfollow = chaos.follow(listener)
    await chaos.inject('bus', 'drop-events', {}, { leaseMs: 10 })
    await clock.advance(10)
    unfollow()
    await chaos.inject('bus', 'drop-events')
    expect(listener.mock.calls.map(([entry]) => (entry as { type: string }).type)).toEqual(['armed', 'ended'])
  })

  it('is found in its process until it is closed', async () => {
    const chaos = createChaos({ environment: 'test' })
    expect(registeredControllers()).toContain(chaos.controller)
    await chaos.close()
    expect(registeredControllers()).not.toContain(chaos.controller)
  })

  it('remembers a bounded number of ended injections', async () => {
    const chaos = controller({ list: target([] as string[], [append]) })
    for (let index = 0; index < 120; index += 1) await chaos.inject('list', 'append-item', { item: 'x' })
    const injections = await chaos.injections()
    expect(injections).toHaveLength(100)
    expect(injections[0]?.id).toBe('test/append-item@list#21')
  })
})
