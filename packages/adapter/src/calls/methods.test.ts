import { inject, withFault } from '@chaos/core'
import { shapeDifference, shapeOf } from '@chaos/core/testing'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { Store } from '../../test/store.js'
import { corruptResults } from './faults/corrupt-results.js'
import { refuseCalls } from './faults/refuse-calls.js'
import { breakable } from './methods.js'

describe('an object or class', () => {
  it('takes methods by name, glob and predicate on arguments', async () => {
    const store = new Store()
    await withFault(refuseCalls({ methods: 's*' }), store, { only: (args) => args[0] === 'a' }, async () => {
      await expect(store.set('a', '1')).rejects.toThrow()
      await expect(store.set('b', '1')).resolves.toBe('OK')
      await expect(store.get('a')).resolves.toBeUndefined()
    })
  })

  it('keeps private state, instanceof and this, for instances made before and after', async () => {
    class Counter {
      #count = 0
      async increment(): Promise<number> {
        return Promise.resolve((this.#count += 1))
      }
    }
    class Derived extends Counter {}
    const [before, shape] = [new Derived(), shapeOf(Counter.prototype)]
    await withFault(refuseCalls(), Counter, { every: 3 }, async () => {
      const after = new Derived()
      for (const counter of [before, after]) {
        await expect(counter.increment()).rejects.toThrow()
        expect([await counter.increment(), await counter.increment()]).toEqual([1, 2])
        expect(counter instanceof Counter && counter instanceof Derived).toBe(true)
      }
    })
    expect(await before.increment()).toBe(3)
    expect(shapeDifference(shape, shapeOf(Counter.prototype))).toBeUndefined()
  })

  it('keeps a function that answers at once synchronous: it throws, or answers, and is no promise', async () => {
    const store = new Store()
    await store.set('a', '1')
    await withFault(refuseCalls({ methods: 'peek', answers: 'value' }), store, { limit: 1 }, () => {
      expect(() => store.peek('a')).toThrow('Service unavailable')
      expect(store.peek('a')).toBe('1')
    })
  })

  it('takes getters by their full name, and leaves the setter beside it alone', async () => {
    class Gauge {
      #level = 5
      get level(): number {
        return this.#level
      }
      set level(level: number) {
        this.#level = level
      }
      async read(): Promise<number> {
        return Promise.resolve(this.#level)
      }
    }
    for (const target of [new Gauge(), Gauge]) {
      const gauge = target instanceof Gauge ? target : new Gauge()
      const shape = shapeOf(target)
      await withFault(refuseCalls({ methods: 'level', message: 'no reading' }), target, () => {
        expect(() => gauge.level).toThrow('no reading')
        gauge.level = 7
      })
      await withFault(corruptResults({ methods: 'level', change: (level: number) => level * 10 }), target, () =>
        expect(gauge.level).toBe(70),
      )
      expect(gauge.level).toBe(7)
      expect(shapeDifference(shape, shapeOf(target))).toBeUndefined()
      await withFault(refuseCalls({ methods: '*' }), target, async () => {
        expect(gauge.level).toBe(7)
        await expect(gauge.read()).rejects.toThrow()
      })
    }
  })

  it('chooses async functions and async generators by default, and no state', async () => {
    class Cache extends Store {
      override readonly peek = 'state' as never
    }
    const cache = new Cache()
    await withFault(refuseCalls(), cache, async () => {
      await expect(cache.scan().next()).rejects.toThrow()
      expect([...cache.keys()]).toEqual([])
    })
    await expect(inject(refuseCalls({ methods: 'peek' }), cache)).rejects.toThrow(
      'Unknown method "peek" of the target.',
    )
  })
})

describe('breakable', () => {
  it('makes a function that faults break and that is otherwise the one it stands for', async () => {
    const target = { base: 1 }
    const add = Object.assign(
      async function add(this: typeof target, a: number, b: number): Promise<number> {
        return Promise.resolve(this.base + a + b)
      },
      { [promisify.custom]: 'custom', tag: 'x' },
    )
    const standIn = breakable(add)
    expect([
      standIn.name,
      standIn.length,
      standIn.tag,
      standIn[promisify.custom],
      Object.getPrototypeOf(standIn),
    ]).toEqual(['add', 2, 'x', 'custom', Object.getPrototypeOf(add)])
    expect(await standIn.call(target, 2, 3)).toBe(6)
    await withFault(refuseCalls(), standIn, { only: 'add', limitPerOperation: 1 }, async (injection) => {
      await expect(standIn.call(target, 2, 3)).rejects.toThrow('Service unavailable')
      expect(await standIn.call(target, 2, 3)).toBe(6)
      expect(injection.id).toMatch(/^adapter\/refuse-calls@add#/)
    })
    expect(await standIn.call(target, 2, 3)).toBe(6)
  })

  it('is `call` where the function has no name', async () => {
    const standIn = breakable(
      (
        () => async (): Promise<number> =>
          Promise.resolve(1)
      )(),
    )
    await withFault(refuseCalls({ methods: 'call' }), standIn, () => expect(standIn()).rejects.toThrow())
    expect(await standIn()).toBe(1)
  })

  it.each([
    () => 1,
    function () {
      return 1
    },
    {},
    'text',
  ])('is needed for a bare function: %o is refused', async (target) => {
    await expect(inject(refuseCalls(), target)).rejects.toThrow(
      'to be an object or a class with methods, a function with methods of its own or made by `breakable`',
    )
  })
})
