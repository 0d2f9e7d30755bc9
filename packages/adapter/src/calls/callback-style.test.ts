import { inject, injectedBy, withFault } from '@chaos/core'
import { AsyncLocalStorage } from 'node:async_hooks'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { callbackIn } from './callback-style.js'
import { corruptResults } from './faults/corrupt-results.js'
import { delayCalls } from './faults/delay-calls.js'
import { failAfterCall } from './faults/fail-after-call.js'
import { refuseCalls } from './faults/refuse-calls.js'

type Done = (error: Error | null, value?: string, more?: number) => void

/** A client in the style of callbacks. */
class Client {
  reached = 0
  get(_key: string, callback: Done): void {
    this.reached += 1
    process.nextTick(callback, null, 'value', 7)
  }
  /** Calls back and answers with a promise, and both are optional. */
  both(_key: string, whenRead?: Done): Promise<string> {
    this.reached += 1
    if (whenRead !== undefined) process.nextTick(whenRead, null, 'value')
    return Promise.resolve('value')
  }
  ask(options: { readonly key: string; readonly callback: Done }): void {
    this.get(options.key, options.callback)
  }
  sum(rows: readonly number[], add: (total: number, row: number) => number): Promise<number> {
    return Promise.resolve(rows.reduce(add))
  }
  watch(fn: (result: string) => void): Promise<void> {
    return Promise.resolve().then(() => fn('seen'))
  }
}

const methods = ['get', 'both', 'ask', 'sum', 'watch']

/** How a callback was called, and the rejections that nobody handled meanwhile. */
async function told(call: (callback: Done) => unknown): Promise<readonly unknown[]> {
  const unhandled = vi.fn()
  process.on('unhandledRejection', unhandled)
  const calls: unknown[][] = []
  let isSync = true
  const wasSync = await new Promise<boolean>((resolve) => {
    call((error, ...values) => {
      calls.push([error?.message ?? null, ...values.filter((value) => value !== undefined)])
      resolve(isSync)
    })
    isSync = false
  })
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  process.off('unhandledRejection', unhandled)
  return [wasSync, calls, unhandled.mock.calls]
}

describe('a method that takes a callback', () => {
  it.each<[string, (client: Client, callback: Done) => unknown]>([
    [
      'with the parameters of a callback',
      (client, callback) => client.get('a', (error, value) => callback(error, value)),
    ],
    ['with one parameter', (client, callback) => client.get('a', (error) => callback(error))],
    ['with the rest of all', (client, callback) => client.get('a', (...all) => callback(...all))],
    ['by a function of no parameters', (client, callback) => client.get('a', vi.fn(callback))],
    [
      'by a bound function',
      (client, callback) =>
        client.get(
          'a',
          ((own: Done, error: Error | null, value?: string) => own(error, value)).bind(undefined, callback),
        ),
    ],
    ['in an object of options', (client, callback) => client.ask({ key: 'a', callback })],
    ['and returns a promise', (client, callback) => client.both('a', (err, value) => callback(err, value))],
  ])('is refused by one later call of it: %s', async (_how, call) => {
    const client = new Client()
    await withFault(refuseCalls({ methods, message: 'refused' }), client, async () =>
      expect(await told((callback) => call(client, callback))).toEqual([false, [['refused']], []]),
    )
    expect(client.reached).toBe(0)
  })

  it('serves `util.promisify`', async () => {
    const client = new Client()
    const get = (key: string): Promise<unknown> =>
      promisify((name: string, callback: Done) => client.get(name, callback))(key)
    const own = promisify(client.get.bind(client))
    await withFault(refuseCalls({ methods: 'get', message: 'refused' }), client, async () => {
      await expect(get('a')).rejects.toThrow('refused')
      await expect(promisify(client.get).call(client, 'a')).rejects.toThrow('refused')
    })
    expect(await own('a')).toBe('value')
  })

  it('calls back in the asynchronous context of the caller, however late', async () => {
    const client = new Client()
    const storage = new AsyncLocalStorage<string>()
    const injection = await inject(delayCalls({ methods: 'get', delayMs: 60_000 }), client)
    const seen = storage.run(
      'of the caller',
      () =>
        new Promise((resolve) => client.get('a', (_error, value, more) => resolve([storage.getStore(), value, more]))),
    )
    await storage.run('of the operator', () => injection.rollback())
    expect(await seen).toEqual(['of the caller', 'value', 7])
  })

  it('calls back once with the error of a lost reply, though the service called back', async () => {
    const client = new Client()
    await withFault(failAfterCall({ methods: 'get', message: 'lost' }), client, async () =>
      expect(await told((callback) => client.get('a', callback))).toEqual([false, [['lost']], []]),
    )
    expect(client.reached).toBe(1)
  })

  it('that got none answers with a promise', async () => {
    const client = new Client()
    await withFault(refuseCalls({ methods: 'both', answers: 'callback' }), client, () =>
      expect(client.both('a')).rejects.toThrow('Service unavailable'),
    )
  })

  it('takes any function as one if it returns nothing, and calls it back with the error', async () => {
    const client = {
      get(_key: string, whenRead: (result: string) => void): void {
        process.nextTick(whenRead, 'value')
      },
    }
    await withFault(refuseCalls({ methods: 'get', message: 'refused' }), client, async () =>
      expect(await new Promise((resolve) => client.get('a', (result) => resolve(result)))).toEqual(
        new Error('refused'),
      ),
    )
    const waiting = async (): Promise<unknown> =>
      new Promise((resolve) => {
        const tell: unknown = async (result: string) => Promise.resolve().then(() => resolve(result))
        client.get('a', tell as (result: string) => void)
      })
    await withFault(refuseCalls({ methods: 'get', message: 'refused' }), client, async () =>
      expect(await waiting()).toEqual(new Error('refused')),
    )
  })

  it('damages a result that is the one argument of a callback', async () => {
    const client = {
      get(_key: string, whenRead: (result: string) => void): void {
        process.nextTick(whenRead, 'abcd')
      },
    }
    await withFault(corruptResults({ methods: 'get' }), client, async (injection) => {
      expect(await new Promise((resolve) => client.get('a', (result) => resolve(result)))).toBe('ab')
      expect(injection.affected).toBe(1)
    })
    await withFault(delayCalls({ methods: 'get', delayMs: 1 }), client, async () =>
      expect(await new Promise((resolve) => client.get('a', (...given) => resolve(given)))).toEqual(['abcd']),
    )
  })

  it.each<[string, (whenRead: unknown) => unknown]>([
    [
      'returns itself',
      function (this: unknown, whenRead) {
        process.nextTick(whenRead as Done, 'value')
        return this
      },
    ],
    [
      'may also make a promise',
      (whenRead) => {
        if (typeof whenRead !== 'function') return Promise.resolve('value')
        process.nextTick(whenRead, 'value')
        return undefined
      },
    ],
    [
      'cannot be read',
      ((whenRead: unknown) => {
        process.nextTick(whenRead as Done, 'value')
      }).bind(undefined),
    ],
  ])('is left alone once by a fault that cannot tell, and refused from then on, if it %s', async (_how, get) => {
    const client = { get }
    await withFault(refuseCalls({ methods: 'get', message: 'refused' }), client, async (injection) => {
      const ask = (): Promise<unknown> => new Promise((resolve) => client.get((result: unknown) => resolve(result)))
      expect([await ask(), injection.seen, injection.account['unclear']]).toEqual(['value', 0, 1])
      expect([await ask(), injection.affected, injection.account['unclear']]).toEqual([new Error('refused'), 1, 1])
    })
  })

  it('is called back though the promise of the method comes long before, as that of a queue', async () => {
    let callBack: () => void = () => undefined
    const queue = {
      submit: (_job: string, callback: Done): Promise<boolean> => {
        callBack = () => callback(null, 'done', 7)
        return Promise.resolve(true)
      },
    }
    await withFault(delayCalls({ methods: 'submit', delayMs: 1 }), queue, async () => {
      const told = new Promise((resolve) => {
        void queue.submit('a', (...given) => resolve(given)).then(() => callBack())
      })
      expect(await told).toEqual([null, 'done', 7])
    })
  })

  it('learns from an answer that is a promise that a function is data', async () => {
    const visit = vi.fn((row: number) => row)
    const each = (fn: (row: number) => unknown): Promise<unknown> => Promise.resolve(fn(1))
    const client = { each: each.bind(undefined) }
    await withFault(refuseCalls({ methods: 'each', message: 'refused' }), client, async (injection) => {
      await client.each((row) => visit(row))
      await expect(client.each((row) => visit(row))).rejects.toThrow('refused')
      expect([injection.affected, visit.mock.calls]).toEqual([1, [[1]]])
    })
    await withFault(refuseCalls({ methods: 'each' }), client, async (injection) => {
      await expect(client.each((row) => visit(row))).rejects.toThrow('Service unavailable')
      expect(injection.affected).toBe(1)
    })
  })

  it('takes any function as one if `answers` say so', async () => {
    const client = new Client()
    await withFault(refuseCalls({ methods: 'watch', answers: 'callback' }), client, async () => {
      const error = await new Promise((resolve) => void client.watch(resolve))
      expect(injectedBy(error)).toBe('adapter/refuse-calls')
    })
  })
})

describe('a function that is data', () => {
  it('is never called by the fault, and stays what the method gets', async () => {
    const client = new Client()
    const add = vi.fn((total: number, row: number) => total + row)
    await withFault(refuseCalls({ methods, message: 'refused' }), client, async () => {
      await expect(client.sum([1, 2], (total, row) => add(total, row))).rejects.toThrow('refused')
      await expect(client.watch((result) => expect(result).toBe('never'))).rejects.toThrow('refused')
      await new Promise(setImmediate)
    })
    expect(add).not.toHaveBeenCalled()
    await withFault(delayCalls({ methods, delayMs: 1 }), client, async () =>
      expect(await client.sum([1, 2], (total, row) => add(total, row))).toBe(3),
    )
  })

  it.each<[string, unknown, boolean]>([
    ['a reducer', (sum: number, row: number) => sum + row, false],
    ['a comparator', (a: number, b: number) => a - b, false],
    ['a visitor', (value: unknown, index: number) => [value, index], false],
    ['an async function', async (error: unknown, value: unknown) => Promise.resolve([error, value]), false],
    ['a class', Client, false],
    ['a resolver', (value: unknown) => value, false],
    ['a callback', (error: unknown, value: unknown) => [error, value], true],
    ['a callback that ignores the error', (_: unknown, value: unknown) => value, true],
    ['a callback with a named error', (connectError: unknown) => connectError, true],
    ['a minified callback', (e: unknown, t: unknown) => [e, t], true],
    [
      'a method',
      {
        done(err: unknown) {
          return err
        },
      }.done,
      true,
    ],
  ])('is told from a callback by its parameters: %s', (_what, last, isCallback) => {
    expect(typeof callbackIn(['key', last], undefined, undefined) === 'object').toBe(isCallback)
  })
})

describe('a function of data', () => {
  const rows = [3, 1, 2]
  const target = {
    ordered: (_rows: readonly number[], by: (left: number, right: number) => number) =>
      Promise.resolve([..._rows].sort(by)),
    sifted: async (_rows: readonly number[], keep: (row: number) => boolean) => {
      await Promise.resolve()
      return _rows.filter(keep)
    },
  }

  it('stays one though its parameters are single letters', async () => {
    const answers = await withFault(delayCalls({ delayMs: 1, methods: ['ordered', 'sifted'] }), target, async () => [
      await target.ordered(rows, (l, r) => l - r),
      await target.sifted(rows, (e) => e > 1),
    ])
    expect(answers).toEqual([
      [1, 2, 3],
      [3, 2],
    ])
  })
})
