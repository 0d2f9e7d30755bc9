import { inject, injectedBy, withFault } from '@chaos/core'
import { faultContract } from '@chaos/core/testing'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { rejection, timingOfRejection } from '../../../test/rejection.js'
import { errorPresetNames } from '../../errors/index.js'
import { timingOf } from '../../errors/timing.js'
import { delayCalls } from './delay-calls.js'
import { refuseCalls, type RefuseCallsOptions } from './refuse-calls.js'

class Store {
  readonly #rows = new Map<string, string>()
  readonly reached: string[] = []
  async get(key: string): Promise<string | undefined> {
    this.reached.push(`get ${key}`)
    return Promise.resolve(this.#rows.get(key))
  }
  async set(key: string, value: string): Promise<void> {
    this.reached.push(`set ${key}`)
    await Promise.resolve(this.#rows.set(key, value))
  }
  size(): number {
    return this.#rows.size
  }
}

for (const [kind, target] of Object.entries({
  'an instance': () => new Store(),
  'an object of own functions': () => {
    const store = new Store()
    return {
      get: async (key: string) => store.get(key),
      set: async (key: string, value: string) => store.set(key, value),
      size: () => store.size(),
    }
  },
})) {
  describe(`the contract, with ${kind}`, () => {
    const cases = faultContract<Pick<Store, 'get' | 'set' | 'size'>>({
      fault: () => refuseCalls(),
      target,
      exercise: async (store, times) => {
        for (let i = 0; i < times; i += 1) await store.get('key').catch(() => undefined)
      },
    })
    for (const { title, run } of cases) it(title, run)
  })
}

describe('refuseCalls', () => {
  it('rejects, and the call never reaches the store', async () => {
    const store = new Store()
    await withFault(refuseCalls(), store, async (injection) => {
      const pending = store.set('a', '1')
      expect(pending).toBeInstanceOf(Promise)
      await expect(pending).rejects.toMatchObject({
        name: 'Error',
        message: 'Service unavailable',
        code: 'ERR_SERVICE_UNAVAILABLE',
      })
      await expect(store.get('a')).rejects.toThrow('Service unavailable')
      expect(injection.affected).toBe(2)
    })
    expect(store.reached).toEqual([])
    await store.set('a', '2')
    await expect(store.get('a')).resolves.toBe('2')
  })

  it('refuses exactly the calls it counts, at any rate, and the store sees exactly the others', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(40),
        fc.integer(),
        async (rate, calls, seed) => {
          const store = new Store()
          let refused = 0
          await withFault(refuseCalls(), store, { rate, seed }, async (injection) => {
            await Promise.all(
              Array.from({ length: calls }, (_, n) => store.set(String(n), 'x').catch(() => (refused += 1))),
            )
            expect([injection.seen, injection.affected]).toEqual([calls, refused])
          })
          expect(store.reached).toHaveLength(calls - refused)
          expect(store.size()).toBe(calls - refused)
        },
      ),
    )
  })

  it('breaks all instances of a class, also those made later, and no others', async () => {
    class Other extends Store {}
    const before = new Store()
    await withFault(refuseCalls({ methods: 'get' }), Store, async () => {
      await expect(before.get('a')).rejects.toThrow()
      await expect(new Store().get('a')).rejects.toThrow()
      await expect(new Other().get('a')).rejects.toThrow()
      await expect(before.set('a', '1')).resolves.toBeUndefined()
    })
    await expect(before.get('a')).resolves.toBe('1')
  })

  it.each<[RefuseCallsOptions['methods'], string[]]>([
    ['get', ['get']],
    [
      ['get', 'set'],
      ['get', 'set'],
    ],
    ['*et', ['get', 'set']],
    [undefined, ['get', 'set']],
  ])('refuses the methods %o', async (methods, refused) => {
    const store = new Store()
    await withFault(refuseCalls(methods === undefined ? {} : { methods }), store, async () => {
      const calls = { get: () => store.get('a'), set: () => store.set('a', '1') }
      for (const [name, call] of Object.entries(calls)) {
        await call().then(
          () => expect(refused).not.toContain(name),
          () => expect(refused).toContain(name),
        )
      }
      expect(store.size()).toBe(refused.includes('set') ? 0 : 1)
    })
  })

  it.each([
    [new Store(), 'gte', 'Did you mean "get"?'],
    [new Store(), 'x*', 'Unknown method "x*" of the target. Known: '],
    [{ now: () => 1 }, undefined, 'The target has no `async` methods, only `now`.'],
  ])('refuses methods that are not there', async (target, methods, words) => {
    await expect(inject(refuseCalls(methods === undefined ? {} : { methods }), target)).rejects.toThrow(words)
  })

  it.each(errorPresetNames)('makes a fresh, marked %s each time', async (error) => {
    const store = new Store()
    await withFault(refuseCalls({ error, host: '10.0.0.7', port: 6379 }), store, async () => {
      const [first, second] = await Promise.all(
        [0, 1].map(() => store.get('a').catch((reason: unknown) => reason as NodeJS.ErrnoException)),
      )
      expect(first).not.toBe(second)
      expect(injectedBy(first)).toBe('adapter/refuse-calls')
      if (/^E[A-Z]+$/.test(error)) expect(first).toMatchObject({ code: error })
    })
  })

  it.each(errorPresetNames)(
    'makes %s come in the same kind of turn as the real one, and a custom error at once',
    async (error) => {
      const store = new Store()
      const timing = async (options: RefuseCallsOptions): Promise<unknown> =>
        withFault(refuseCalls(options), store, async () => timingOfRejection(await rejection(store.get('a'))))
      expect(await timing({ error })).toBe(timingOf(error))
      expect(await timing({ message: 'custom' })).toBe('same-turn')
    },
  )

  it('takes a custom error, by its fields or made for each call', async () => {
    const store = new Store()
    await withFault(refuseCalls({ message: 'deadlock detected', code: '40P01', name: 'DatabaseError' }), store, () =>
      expect(store.get('a')).rejects.toMatchObject({
        name: 'DatabaseError',
        message: 'deadlock detected',
        code: '40P01',
      }),
    )
    const makeError = ({ method, args }: { method: string; args: readonly unknown[] }): Error =>
      new RangeError(`${method} ${String(args[0])}`)
    expect(refuseCalls({ makeError }).portable).toBe(false)
    await withFault(refuseCalls({ makeError }), store, () =>
      expect(store.get('a')).rejects.toThrow(new RangeError('get a')),
    )
    const throwing = refuseCalls({
      makeError: () => {
        throw new TypeError('maker')
      },
    })
    await withFault(throwing, store, () => expect(store.get('a')).rejects.toThrow('maker'))
  })

  it.each<[RefuseCallsOptions, string]>([
    [{ error: 'EPIPE', code: 'X' }, 'accepts one description of its error'],
    [
      { message: 'm', makeError: () => new Error() },
      'several were given: `message`, `code` and `name`; `makeError`. Keep one of them.',
    ],
    [{ error: 'ECONREFUSED' as 'EPIPE' }, 'one of `fail-fast`'],
    [{ methods: [] }, 'a name or glob'],
  ])('refuses the options %o where the fault is made', (options, words) => {
    expect(() => refuseCalls(options)).toThrow(words)
  })

  it('keeps this, name and arity, and answers a passing call with the promise of the target', async () => {
    const answer = Promise.resolve(1)
    const target = {
      base: 1,
      async add(): Promise<number> {
        return Promise.resolve(this.base)
      },
      ask(_a: string, _b: string): Promise<number> {
        return answer
      },
    }
    await withFault(refuseCalls({ methods: '*' }), target, { rate: 0 }, async () => {
      expect([target.ask.name, target.ask.length]).toEqual(['ask', 2])
      expect(target.ask('a', 'b')).toBe(answer)
      await expect(target.add()).resolves.toBe(1)
    })
  })

  describe('of a method that takes a callback', () => {
    class Stub {
      getUser(id: number, callback: (error: Error | null, user?: { id: number }) => void): void {
        process.nextTick(callback, null, { id })
      }
      eachUser(visit: (id: number) => void): Promise<void> {
        return Promise.resolve([1, 2]).then((ids) => ids.forEach(visit))
      }
    }

    it('tells the caller by the callback, and leaves no rejection that nobody handles', async () => {
      const stub = new Stub()
      const unhandled = vi.fn()
      process.on('unhandledRejection', unhandled)
      const told = await withFault(
        refuseCalls({ methods: 'getUser', error: 'ECONNREFUSED' }),
        stub,
        () => new Promise((resolve) => stub.getUser(1, (error, user) => resolve([error, user]))),
      )
      await new Promise((resolve) => setImmediate(resolve))
      process.off('unhandledRejection', unhandled)
      expect([told, unhandled.mock.calls]).toEqual([[expect.objectContaining({ code: 'ECONNREFUSED' }), undefined], []])
    })

    it('leaves no such rejection either where the function is none that is called back', async () => {
      const stub = new Stub()
      const unhandled = vi.fn()
      process.on('unhandledRejection', unhandled)
      await withFault(refuseCalls({ methods: 'eachUser' }), stub, async () => {
        void stub.eachUser(() => undefined)
        await expect(stub.eachUser(() => undefined)).rejects.toThrow()
        await new Promise((resolve) => setImmediate(resolve))
      })
      process.off('unhandledRejection', unhandled)
      expect(unhandled).not.toHaveBeenCalled()
    })

    it('lets a delayed call go on, and hands on all that it is called back with', async () => {
      const stub = new Stub()
      const user = await withFault(
        delayCalls({ methods: 'getUser', delayMs: 1 }),
        stub,
        () => new Promise((resolve) => stub.getUser(1, (_error, found) => resolve(found))),
      )
      expect(user).toEqual({ id: 1 })
    })
  })
})
