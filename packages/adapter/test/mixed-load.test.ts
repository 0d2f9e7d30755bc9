import { getEventListeners, setMaxListeners } from 'node:events'
import v8 from 'node:v8'
import vm from 'node:vm'
import { inject, journal, withFault, type Clock, type Fault, type Injection } from '@chaos/core'
import { systemClock } from '@chaos/core/authoring'
import { shapeDifference, shapeOf } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  corruptResults,
  delayCalls,
  duplicateWrites,
  failAfterCall,
  hangCalls,
  loseWrites,
  refuseCalls,
} from '../src/calls/index.js'

v8.setFlagsFromString('--expose-gc')
const collect = vm.runInNewContext('gc') as () => void

/** A store that counts what reaches it, and nothing else. */
class Counting {
  #gets = 0
  #sets = 0
  async get(_key: number, _options?: { readonly signal: AbortSignal }): Promise<string> {
    this.#gets += 1
    return Promise.resolve('value')
  }
  async set(_key: number, _value: string, _options?: { readonly signal: AbortSignal }): Promise<string> {
    this.#sets += 1
    return Promise.resolve('OK')
  }
  get reached(): { readonly get: number; readonly set: number } {
    return { get: this.#gets, set: this.#sets }
  }
}

/** The real clock, and how many of its timers run. */
function countingClock(): Clock & { readonly timers: number } {
  const running = new Set<object>()
  return {
    now: () => systemClock.now(),
    after(delayMs, work, options) {
      const timer = {}
      running.add(timer)
      const cancel = systemClock.after(
        delayMs,
        () => {
          running.delete(timer)
          work()
        },
        options,
      )
      return () => {
        running.delete(timer)
        cancel()
      }
    },
    get timers() {
      return running.size
    },
  }
}

/** So many mixed calls under seven overlapping faults on a class; what each fault counts must agree with its neighbours, the callers and the store. */
async function round(calls: number, seed: number): Promise<void> {
  const store = new Counting()
  const clock = countingClock()
  const caller = new AbortController()
  setMaxListeners(0, caller.signal)
  // Innermost first: what one lets pass is what the next one beneath it sees.
  const arm = async (fault: Fault<object>, rate: number): Promise<Injection> =>
    inject(fault, Counting, { clock, seed, rate })
  const lose = await arm(loseWrites({ methods: 'set', answer: 'LOST' }), 0.1)
  const duplicate = await arm(duplicateWrites({ methods: 'set' }), 0.1)
  const corrupt = await arm(corruptResults({ damage: 'empty' }), 0.1)
  const failAfter = await arm(failAfterCall(), 0.1)
  const delay = await arm(delayCalls({ delayMs: 1, jitterMs: 1 }), 0.1)
  const hang = await arm(hangCalls(), 0.05)
  const refuse = await arm(refuseCalls(), 0.1)

  const outcomes = { answered: 0, lost: 0, empty: 0, refused: 0, reset: 0, abandoned: 0 }
  const answered = (answer: string): void =>
    void (outcomes[answer === 'LOST' ? 'lost' : answer === '' ? 'empty' : 'answered'] += 1)
  const failed = (error: unknown): void => {
    const { code } = error as { code?: string }
    outcomes[error === 'enough' ? 'abandoned' : code === 'ECONNRESET' ? 'reset' : 'refused'] += 1
  }
  const options = { signal: caller.signal }
  const pending: Promise<void>[] = []
  for (let n = 0; n < calls; n += 1) {
    // Every fourth call can be given up.
    const call =
      n % 2 === 0
        ? n % 4 === 0
          ? store.get(n, options)
          : store.get(n)
        : n % 4 === 1
          ? store.set(n, 'x', options)
          : store.set(n, 'x')
    pending.push(call.then(answered, failed))
    if (n % 1_000 === 999) await new Promise((resolve) => setImmediate(resolve))
  }
  caller.abort('enough')
  expect(getEventListeners(caller.signal, 'abort')).toEqual([])
  // What hangs goes on through the faults beneath.
  await hang.rollback()
  await Promise.all(pending)

  expect(Object.values(outcomes).reduce((sum, count) => sum + count)).toBe(calls)
  expect(refuse.seen).toBe(calls)
  expect(refuse.affected).toBe(outcomes.refused)
  expect(hang.seen).toBe(refuse.passed)
  // A call that was given up, while it hung or while it was delayed, never came to what lies beneath.
  expect(failAfter.seen).toBe(hang.seen - outcomes.abandoned)
  expect(failAfter.affected).toBe(outcomes.reset)
  expect(corrupt.seen).toBe(failAfter.seen)
  const copies = duplicate.affected
  expect(lose.seen).toBe(duplicate.seen + copies)
  expect(store.reached.set).toBe(lose.passed)
  expect(store.reached.get).toBe(corrupt.seen - duplicate.seen)
  for (const injection of [refuse, hang, delay, failAfter, corrupt, duplicate, lose]) {
    expect(injection.seen).toBe(injection.affected + injection.passed)
    expect(injection.affected).toBeGreaterThan(0)
    expect(injection.held).toBe(0)
    await injection.rollback()
  }
  expect(Math.min(...Object.values(outcomes))).toBeGreaterThan(0)
  expect(clock.timers).toBe(0)
}

describe('100,000 mixed concurrent calls under seven overlapping faults', () => {
  it('balance exactly, reject nothing that nobody hears, keep nothing, and leave the class as it was', async () => {
    const unheard: unknown[] = []
    const onUnheard = (reason: unknown): void => void unheard.push(reason)
    process.on('unhandledRejection', onUnheard)
    onTestFinished(() => void process.off('unhandledRejection', onUnheard))
    const before = shapeOf(Counting.prototype)
    const heap: number[] = []
    for (let n = 0; n < 5; n += 1) {
      await round(20_000, n)
      expect(shapeDifference(before, shapeOf(Counting.prototype))).toBeUndefined()
      await new Promise((resolve) => setImmediate(resolve))
      collect()
      heap.push(process.memoryUsage().heapUsed)
    }
    expect(unheard).toEqual([])
    // A hundred bytes kept of each of the 60,000 calls since would be six million. A bar for a machine of one's own.
    if (process.env['CHAOS_SOAK'] !== undefined)
      expect((heap[4] as number) - (heap[1] as number)).toBeLessThan(4_000_000)
  })
})

describe('another library on top of a class patch', () => {
  it('is never clobbered: ours is reported, lets every call through, and leaves at the next chance', async () => {
    class Store extends Counting {
      override async set(key: number, value: string): Promise<string> {
        return super.set(key, value)
      }
    }
    const original = Store.prototype.set
    const shape = shapeOf(Store.prototype)
    const refuse = await inject(refuseCalls({ methods: 'set' }), Store)
    const ours = Store.prototype.set
    const traced: number[] = []
    const theirs = function (this: Store, key: number, value: string): Promise<string> {
      traced.push(key)
      return ours.call(this, key, value)
    }
    Store.prototype.set = theirs
    const store = new Store()
    await expect(store.set(1, 'x')).rejects.toThrow()

    await refuse.rollback()
    expect(journal.entries.filter((entry) => entry.type === 'warning').at(-1)).toMatchObject({
      id: refuse.id,
      message: expect.stringContaining('Other code replaced `set`') as string,
    })
    expect(Store.prototype.set).toBe(theirs)
    await expect(store.set(2, 'x')).resolves.toBe('OK')
    await withFault(refuseCalls({ methods: 'set' }), Store, () => expect(store.set(3, 'x')).rejects.toThrow())
    expect([Store.prototype.set, traced]).toEqual([theirs, [1, 2]])

    Store.prototype.set = ours
    await withFault(refuseCalls({ methods: 'set' }), Store, () => expect(store.set(4, 'x')).rejects.toThrow())
    expect(Store.prototype.set).toBe(original)
    expect(shapeDifference(shape, shapeOf(Store.prototype))).toBeUndefined()
  })
})
