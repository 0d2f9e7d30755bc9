import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { inject, withFault, withScope } from '@chaos/core'
import { manualClock, shapeDifference, shapeOf } from '@chaos/core/testing'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Store } from '../../test/store.js'
import { failAfterCall, hangCalls, refuseCalls } from '../calls/index.js'
import { observeCalls, type CallObservation, type ObserveCallsOptions } from './observe-calls.js'

/** Observes until the test has finished. */
async function observed(target: object, options?: ObserveCallsOptions): Promise<CallObservation> {
  const calls = await observeCalls(target, options)
  onTestFinished(() => calls.stop())
  return calls
}

/** Tries so many times, one after the other. */
async function tryAgain<Result>(times: number, work: () => Promise<Result>): Promise<Result> {
  for (let left = times; ; left -= 1)
    try {
      return await work()
    } catch (error) {
      if (left <= 1) throw error
    }
}

const triesIn = ({ calls }: CallObservation): readonly (readonly [string, number])[] =>
  calls.map(({ operation, tries }) => [operation, tries] as const)

/** Methods that answer in other ways than by a promise of the language. */
const oddities = {
  sync: (n: number) => {
    if (n < 0) throw new RangeError('negative')
    return n
  },
  back: (n: number, callback: (error: Error | null, value?: number) => void): void =>
    void setImmediate(() => (n < 0 ? callback(new RangeError('negative')) : callback(null, n))),
  stream: (fails: boolean): Readable =>
    new Readable({
      read() {
        if (fails) this.destroy(new Error('torn'))
        else this.push(null)
      },
    }),
}

describe('observeCalls', () => {
  it('groups attempts into calls, with what each began and ended with', async () => {
    const clock = manualClock()
    const store = new Store()
    const calls = await observed(store, { clock })
    await store.set('a', '1')
    await store.set('a', '1')
    await withFault(refuseCalls({ methods: 'get' }), store, { limit: 2 }, () =>
      tryAgain(3, () =>
        store.get('a').catch(async (error: unknown) => {
          await clock.advance(5)
          throw error
        }),
      ),
    )
    expect(triesIn(calls)).toEqual([
      ['set', 1],
      ['set', 1],
      ['get', 3],
    ])
    expect(calls.calls.at(-1)?.attempts).toMatchObject([
      { ok: false, error: { message: 'Service unavailable' }, gapMs: undefined },
      { ok: false, gapMs: 5 },
      { ok: true, result: '1', error: undefined },
    ])
    expect(calls.account).toMatchObject({ calls: 3, attempts: 5, retried: 2, failed: 2, mostAttempts: 3 })
    expect(calls.retries()).toMatchObject([{ operation: 'get', tries: 3, growth: 'constant', reasonChanged: false }])
  })

  it('sees what the caller sees, also of faults that are injected later, and counts no hit', async () => {
    const store = new Store()
    const calls = await observed(store)
    await withFault(failAfterCall({ methods: 'set' }), store, async (injection) => {
      await expect(store.set('a', '1')).rejects.toThrow()
      expect([injection.seen, injection.affected]).toEqual([1, 1])
    })
    expect(calls.calls[0]?.attempts).toMatchObject([{ ok: false, error: { code: 'ECONNRESET' } }])
    expect(store.reached).toEqual(['set a'])
  })

  it('keeps calls apart that are made at the same time, and takes them together that one caller makes', async () => {
    const store = new Store()
    const calls = await observed(store)
    await withFault(hangCalls(), store, () => {
      const ask = (): void => void store.get('a').catch(() => undefined)
      for (let n = 0; n < 5; n += 1) ask()
      expect(triesIn(calls)).toEqual(Array(5).fill(['get', 1]))
      expect(calls.account).toMatchObject({ calls: 5, pending: 5 })
      withScope('order 7', () => {
        ask()
        ask()
      })
      expect(calls.calls.at(-1)).toMatchObject({ scope: 'order 7', tries: 2 })
    })
  })

  it('counts a call as another one that comes long after a failure', async () => {
    const clock = manualClock()
    const store = new Store()
    const calls = await observed(store, { clock, retryWithinMs: 1_000, methods: 'fail' })
    for (const afterMs of [0, 1_000, 1_001]) {
      await clock.advance(afterMs)
      await store.fail().catch(() => undefined)
    }
    expect(triesIn(calls)).toEqual([
      ['fail', 2],
      ['fail', 1],
    ])
  })

  it('knows the call of an attempt by its idempotency key, whatever else differs', async () => {
    const bank = { charge: (_what: object) => Promise.reject(new Error('lost')) }
    const calls = await observed(bank, { methods: 'charge' })
    for (const at of [1, 2]) await bank.charge({ at, idempotencyKey: 'k' }).catch(() => undefined)
    await bank.charge({ at: 3, headers: { 'Idempotency-Key': 'other' } }).catch(() => undefined)
    expect(triesIn(calls)).toEqual([
      ['charge', 2],
      ['charge', 1],
    ])
    expect(calls.calls[1]?.attempts[0]?.idempotencyKey).toBe('other')
  })

  it('names calls by functions of the caller, and survives those that throw', async () => {
    const store = new Store()
    const calls = await observed(store, {
      keyOf: ({ args }) => (args[0] === 'x' ? JSON.parse('{') : 'same') as unknown,
      idempotencyKeyOf: ({ operation }) => `${operation} 1`,
    })
    await store.get('a')
    await store.get('b')
    await store.get('x')
    expect(calls.calls).toMatchObject([{ key: 'same', tries: 3 }])
  })

  it('counts what is called within a call of the target above, and knows what its caller was told', async () => {
    const store = new Store()
    const shop = {
      order: async (id: string) => {
        await tryAgain(2, () => store.fail()).catch(() => undefined)
        return id
      },
    }
    const calls = await observed(store, { above: shop })
    await Promise.all(['a', 'b', 'c'].map((id) => shop.order(id)))
    expect(triesIn(calls)).toEqual(Array(3).fill(['fail', 2]))
    expect(calls.account.amplification).toBe(2)
    expect(calls.calls[0]?.caller).toMatchObject({ ok: true, result: 'a' })
    expect(calls.probe('swallowed-error')()).toBe(3)
  })

  it('sees callbacks, plain values, streams and iterations', async () => {
    const values = await observed(oddities, { methods: 'sync', answers: 'value' })
    const backs = await observed(oddities, { methods: 'back' })
    const streams = await observed(oddities, { methods: 'stream', answers: 'stream' })
    expect(oddities.sync(1)).toBe(1)
    expect(() => oddities.sync(-1)).toThrow('negative')
    for (const n of [1, -1]) await new Promise<void>((resolve) => oddities.back(n, () => resolve()))
    for (const fails of [false, true])
      await oddities
        .stream(fails)
        .toArray()
        .catch(() => undefined)
    const oks = ({ calls }: CallObservation): unknown => calls.map(({ attempts }) => attempts.map(({ ok }) => ok))
    expect([oks(values), oks(backs), oks(streams)]).toEqual(Array(3).fill([[true], [false]]))

    const store = new Store()
    const iterations = await observed(store, { methods: ['keys', 'scan'] })
    await withFault(refuseCalls({ methods: ['keys', 'scan'] }), store, { limitPerOperation: 1 }, async () => {
      for (let n = 0; n < 2; n += 1) {
        const read = (): unknown => [...store.keys()]
        if (n === 0) expect(read).toThrow('Service unavailable')
        else expect(read()).toEqual([])
        const scanned = (async () => {
          for await (const _ of store.scan());
        })()
        if (n === 0) await expect(scanned).rejects.toThrow('Service unavailable')
        else await scanned
      }
    })
    expect(iterations.account).toMatchObject({ attempts: 4, failed: 2, retried: 2 })
  })

  it('executes no query that waits to be executed, and leaves its promise as it is', async () => {
    const executed: string[] = []
    class Query {
      constructor(readonly sql: string) {}
      then(onValue?: (rows: string) => unknown): Promise<unknown> {
        executed.push(this.sql)
        return Promise.resolve(this.sql).then(onValue)
      }
    }
    const db = { query: (sql: string) => new Query(sql) }
    const calls = await observed(db, { methods: 'query' })
    const query = db.query('SELECT 1')
    expect([executed, query instanceof Query]).toEqual([[], true])
    expect(await query).toBe('SELECT 1')
    expect([executed, calls.calls[0]?.attempts[0]?.ok]).toEqual([['SELECT 1'], true])
  })

  it('leaves a rejection unhandled that the application does not handle', async () => {
    const store = new Store()
    await observed(store)
    const unhandled: unknown[] = []
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', (reason) => unhandled.push(reason))
    onTestFinished(() => {
      process.removeAllListeners('unhandledRejection')
      for (const other of others) process.on('unhandledRejection', other)
    })
    void store.fail()
    await turn()
    await turn()
    expect(unhandled).toEqual([new RangeError('its own')])
  })

  it('restores the target, and keeps what it has seen', async () => {
    const store = new Store()
    const before = shapeOf(store)
    const calls = await observeCalls(store, { above: store })
    await store.get('a')
    await calls.stop()
    await store.get('b')
    expect(shapeDifference(before, shapeOf(store))).toBeUndefined()
    expect(triesIn(calls)).toEqual([['get', 1]])
  })

  it('remembers a bounded number of calls and attempts, and counts all of them', async () => {
    const store = new Store()
    const calls = await observed(store, { remember: 10 })
    for (let n = 0; n < 50; n += 1) await store.get(String(n))
    for (let n = 0; n < 150; n += 1) await store.fail().catch(() => undefined)
    expect(calls.calls.map(({ tries, attempts }) => [tries, attempts.length]).slice(-2)).toEqual([
      [1, 1],
      [150, 100],
    ])
    expect(calls.calls).toHaveLength(10)
    expect(calls.account).toMatchObject({ calls: 51, attempts: 200, failed: 150 })
  })

  it('balances for any outcomes of any callers', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), fc.constantFrom('resolve', 'reject', 'nothing')), { maxLength: 30 }),
        fc.integer({ min: 1, max: 40 }),
        async (tries, remember) => {
          const store = {
            get: (_key: number, how: string): Promise<unknown> =>
              how === 'resolve'
                ? Promise.resolve()
                : how === 'reject'
                  ? Promise.reject(new Error('lost'))
                  : new Promise(() => undefined),
          }
          const calls = await observeCalls(store, { methods: 'get', keyOf: ({ args }) => args[0], remember })
          for (const [key, how] of tries) {
            const answer = store.get(key, how).catch(() => undefined)
            if (how !== 'nothing') await answer
          }
          await calls.stop()
          const { account } = calls
          expect(account.attempts).toBe(tries.length)
          expect(account.retried).toBe(account.attempts - account.calls)
          expect(account.failed).toBe(tries.filter(([, how]) => how === 'reject').length)
          if (remember < 30) return
          expect(calls.calls.reduce((sum, call) => sum + call.tries, 0)).toBe(tries.length)
          // A call is over with its first success.
          for (const { attempts } of calls.calls)
            expect(attempts.slice(0, -1).every(({ ok }) => ok !== true)).toBe(true)
        },
      ),
    ))

  it('refuses what is no target, unknown checks and readings, and invalid options', async () => {
    await expect(observeCalls({})).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
    await expect(observeCalls(new Store(), { methods: 'gett' })).rejects.toThrow('Did you mean "get"?')
    await expect(observeCalls(new Store(), { maxAttempts: 0 })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining('`maxAttempts` of observeCalls') as string,
    })
    await expect(observeCalls(new Store(), { above: {} })).rejects.toMatchObject({ code: 'CHAOS_TARGET_MISMATCH' })
    const calls = await observed(new Store())
    expect(() => calls.violation('no-dely' as 'no-delay')).toThrow('Did you mean "no-delay"?')
    expect(() => calls.probe('amplify' as 'amplification')).toThrow('Unknown reading "amplify" of observeCalls.')
    expect(() => calls.probe('toString' as 'amplification')).toThrow('Unknown reading "toString" of observeCalls.')
    for (const name of ['above', 'scope', 'clock'])
      await expect(observeCalls(new Store(), { [`${name}s`]: {} })).rejects.toThrow(`Did you mean "${name}"?`)
  })

  it('ends with everything else when all is stopped, and sees nothing more', async () => {
    const store = new Store()
    const calls = await observed(store)
    const other = await inject(refuseCalls(), store)
    await other.rollback()
    await calls.stop()
    await calls.stop()
    expect(calls.account.calls).toBe(0)
  })
})
