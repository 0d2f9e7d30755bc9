import { EventEmitter } from 'node:events'
import { refuseCalls } from '@chaos/adapter'
import { ChaosError, currentScope, withScope } from '@chaos/core'
import { defineFault } from '@chaos/core/authoring'
import { dropEvents } from '@chaos/eventbus'
import { describe, expect, it, onTestFinished } from 'vitest'
import { finish } from './finish.js'
import { openTestChaos, type OpenTestChaos, type RunningTest } from './open-test-chaos.js'
import { withChaos } from './with-chaos.js'

class Store {
  get(key: string): Promise<string> {
    return Promise.resolve(key)
  }
}
const down = refuseCalls({ methods: 'get' })
const stuck = defineFault({
  name: 'test/stuck',
  kind: 'standing',
  summary: 'Cannot be undone.',
  target: { expects: 'anything', accepts: () => true },
  options: {},
  inject: (_target: object, _options, context) =>
    context.defer(() => {
      throw new Error('no way back')
    }),
})

function opened(test: Partial<RunningTest> = {}): OpenTestChaos {
  const open = openTestChaos({ names: ['suite', 'test'], rerun: (seed) => `run ${seed}`, ...test })
  onTestFinished(async () => {
    await open.end()
  })
  return open
}

describe('the end of a test', () => {
  it('rolls all faults back, also one that is still being injected, and refuses later ones', async () => {
    const { chaos, end } = opened()
    const store = new Store()
    const never = defineFault({
      name: 'test/never-armed',
      kind: 'standing',
      summary: 'Is never in force.',
      target: { expects: 'anything', accepts: () => true },
      options: {},
      inject: () => new Promise<void>(() => undefined),
    })
    const [first, second] = [await chaos.inject(down, store), await chaos.inject(down, store)]
    const arming = chaos.inject(never(), store)
    const late = chaos.withFault(down, store, () => Promise.reject(new Error('ran after the end')))
    expect(await end()).toEqual([])
    await expect(arming).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
    await expect(late).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
    expect([first.outcome, second.outcome]).toEqual(['rolled-back', 'rolled-back'])
    expect(Object.getPrototypeOf(store)).toBe(Store.prototype)
    await expect(chaos.inject(down, store)).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
    expect(await end()).toEqual([])
  })

  it('ends what the signal of an injection ends', async () => {
    const { chaos } = opened()
    const ending = new AbortController()
    const fault = await chaos.inject(down, new Store(), { signal: ending.signal, mayMiss: true })
    ending.abort()
    expect((await fault.done).outcome).toBe('aborted')
    await expect(chaos.inject(down, new Store(), { signal: ending.signal })).rejects.toThrow('already aborted')
  })

  it('reports what could not be rolled back, and explains it', async () => {
    const open = opened()
    await open.chaos.inject(stuck(), new Store(), { mayMiss: true })
    const { errors } = await finish(open, 'passed')
    expect(errors.map(({ message }) => message)).toEqual([expect.stringMatching(/no way back[^]*Chaos in this test/)])
  })
})

describe('a fault that hit nothing', () => {
  const missOf = async (use: (open: OpenTestChaos, store: Store) => Promise<unknown>, test?: Partial<RunningTest>) => {
    const open = opened(test)
    await use(open, new Store())
    return open.misses().map(({ message }) => message)
  }

  it('fails the test, and says why it hit nothing', async () => {
    expect(await missOf(({ chaos }, store) => chaos.inject(down, store))).toEqual([
      expect.stringContaining(
        'on Store hit nothing in this test. It saw no call. Check that the test uses this very target.',
      ),
    ])
    expect(await missOf(({ chaos }, store) => chaos.inject(down, store, { only: 'put' }))).toEqual([
      expect.stringContaining('It saw no call that passes `only`.'),
    ])
    const passed = missOf(async ({ chaos }, store) => {
      await chaos.inject(down, store, { skip: 1 })
      await store.get('a')
    })
    expect(await passed).toEqual([expect.stringContaining('It saw 1 call and let it pass. Check `skip`')])
    const outside = missOf(
      async ({ chaos }, store) => {
        await chaos.inject(down, store)
        const elsewhere = opened({ names: ['elsewhere'], scoped: true })
        await elsewhere.run(() => store.get('a'))
      },
      { scoped: true },
    )
    expect(await outside).toEqual([
      expect.stringContaining('Calls such as `get` in "elsewhere" were seen, but outside of the test\'s scope.'),
    ])
  })

  it('says so if it has a `scope` in which the test does nothing', async () => {
    const missed = missOf(async ({ chaos }, store) => {
      await chaos.inject(down, store, { scope: 'a test that was explored' })
      await store.get('a')
    })
    expect(await missed).toEqual([
      expect.stringContaining(
        'Calls such as `get` were seen, but outside of `scope`. Make them within `withScope` of that name, or leave `scope` out.',
      ),
    ])
  })

  it('fails no test that allows it, or that only observes', async () => {
    expect(await missOf(({ chaos }, store) => chaos.inject(down, store, { mayMiss: true }))).toEqual([])
    expect(await missOf(({ chaos }, store) => chaos.inject(down, store, { rate: 0 }))).toEqual([])
    const refused = missOf(({ chaos }, store) => chaos.inject(down, store, { rate: 2 }).catch(() => undefined))
    expect(await refused).toEqual([])
  })

  it('has the stack of the call that injected it', async () => {
    const open = opened()
    await open.chaos.inject(down, new Store())
    const [error] = open.misses()
    expect(error?.stack?.split('\n')[1]).toContain('open-test-chaos.test.ts')
  })
})

describe('a fault that is refused', () => {
  it('has the stack of the call that injected it, however deep core found out', async () => {
    const { chaos } = opened()
    const refused: unknown = await chaos
      .inject(refuseCalls({ methods: 'gte' }), new Store())
      .catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'CHAOS_TARGET_MISMATCH', message: expect.stringContaining('gte') as unknown })
    expect((refused as Error).stack?.split('\n')[1]).toContain('open-test-chaos.test.ts')
  })

  it('is told apart from an error of the work that runs under a fault', async () => {
    const { chaos } = opened()
    const own = new ChaosError('CHAOS_INVALID_OPTION', 'of the work')
    const { stack } = own
    const options = { mayMiss: true }
    await expect(chaos.withFault(down, new Store(), options, () => Promise.reject(own))).rejects.toBe(own)
    expect(own.stack).toBe(stack)
  })
})

describe('the seed', () => {
  it('decides the same for a test, whatever runs beside it', async () => {
    const decide = async (names: readonly string[]): Promise<readonly number[]> => {
      const { chaos, end } = opened({ names })
      const bus = new EventEmitter()
      const received: number[] = []
      bus.on('tick', (n: number) => received.push(n))
      await chaos.inject(dropEvents(), bus, { rate: 0.5 })
      for (let n = 0; n < 64; n += 1) bus.emit('tick', n)
      await end()
      return received
    }
    const alone = await decide(['a'])
    const [again, other] = await Promise.all([decide(['a']), decide(['b'])])
    expect(again).toEqual(alone)
    expect(other).not.toEqual(alone)
  })
})

describe('withChaos', () => {
  it('keeps 500 tests at a time from each other, and leaves nothing behind', async () => {
    const shared = new Store()
    const test = (n: number): Promise<void> =>
      withChaos('one of many', async (chaos) => {
        const failsAt = n % 4
        if (failsAt < 3) await chaos.inject(down, shared, { skip: failsAt, limit: 1 })
        const outcomes: boolean[] = []
        for (let call = 0; call < 3; call += 1)
          outcomes.push(
            await shared.get('a').then(
              () => true,
              () => false,
            ),
          )
        expect(outcomes.indexOf(false)).toBe(failsAt < 3 ? failsAt : -1)
        expect(currentScope()).toBe(chaos.scope)
      })
    await Promise.all(Array.from({ length: 500 }, (_, n) => test(n)))
    expect(Object.getPrototypeOf(shared)).toBe(Store.prototype)
    expect(withScope('after all', currentScope)).toBeUndefined()
  })

  it('leaves what is done beside it outside of its scope', async () => {
    const work = withChaos('a test', async ({ scope }) => {
      await Promise.resolve()
      expect(currentScope()).toBe(scope)
    })
    expect(currentScope()).toBeUndefined()
    await work
  })

  it('explains a failure in its message, and keeps the error', async () => {
    const error = new Error('the reason')
    const store = new Store()
    const failing = withChaos('a test', async (chaos) => {
      await chaos.withFault(down, store, { limit: 1 }, () => store.get('a').catch(() => undefined))
      throw error
    })
    await expect(failing).rejects.toBe(error)
    expect(error.message).toMatch(
      /^the reason\n\nChaos in this test \(seed .+\):\n {2}adapter\/refuse-calls on Store, limit 1: hit 1 of 1 call, ended \(limit-spent\)\n {4}get, call 1, in "a test"\n/,
    )
    expect(error.stack).toContain('Chaos in this test')
  })

  it('keeps from a failing test neither its error nor what could not be rolled back', async () => {
    const error = new Error('the reason')
    const failing = withChaos('a test', async (chaos) => {
      await chaos.inject(stuck(), new Store())
      throw error
    })
    await expect(failing).rejects.toMatchObject({
      errors: [error, expect.objectContaining({ code: 'CHAOS_ROLLBACK_FAILED' })],
      message: expect.stringMatching(/^the reason\n\nChaos in this test[^]*no way back/) as string,
    })
  })

  it('fails a test whose fault hit nothing', async () => {
    const missing = withChaos('a test', (chaos) => chaos.inject(down, new Store()))
    await expect(missing).rejects.toMatchObject({ code: 'CHAOS_FAULT_MISSED' })
  })
})
