import { refuseCalls } from '@chaos/adapter'
import { observeCalls } from '@chaos/adapter/observe'
import { ChaosError, createChaos, inject, target, type Injection, type InjectOptions } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { withChaos } from '../test-chaos/with-chaos.js'
import { check } from './check.js'
import { matchers } from './matchers.js'
import type { WaitOptions } from './poll.js'
import type { MatcherResult } from './result.js'
import type { ExpectedAlert } from './to-have-fired-alert.js'
import type { ExpectedRetries } from './to-have-retried.js'

const { toHaveFiredAlert, toHaveHit, toHaveLanded, toHaveRetried, toRecoverWithin } = matchers

class Store {
  get(key: string): Promise<string> {
    return Promise.resolve(key)
  }
}

/** Reads a store that is down three times. */
async function readThrice(how: InjectOptions): Promise<Injection> {
  const store = new Store()
  const fault = await inject(refuseCalls({ methods: 'get' }), store, how)
  onTestFinished(async () => {
    await fault.rollback()
  })
  for (let n = 0; n < 3; n += 1) await store.get('a').catch(() => undefined)
  return fault
}

const told = ({ pass, message }: MatcherResult): readonly [boolean, string] => [pass, message()]

describe('toHaveLanded', () => {
  it('tells what a fault hit, or why it may have hit nothing', async () => {
    expect(told(toHaveLanded(await readThrice({ limit: 2 })))).toEqual([
      true,
      'Expected the fault not to have landed. adapter/refuse-calls on Store hit 2 of 2 calls: get, call 1; get, call 2.',
    ])
    expect(told(toHaveLanded(await readThrice({ only: 'put' })))).toEqual([
      false,
      'Expected the fault to have landed. adapter/refuse-calls on Store hit nothing, and saw no call. Check `only`, `scope`, and that the test uses this very target.',
    ])
    expect(told(toHaveLanded(await readThrice({ skip: 3 })))).toEqual([
      false,
      'Expected the fault to have landed. adapter/refuse-calls on Store hit nothing of 3 calls. Check `skip`, `every`, `rate` and the options of the fault.',
    ])
    expect(() => toHaveLanded('fault')).toThrow('expects an injection')
  })
})

describe('toHaveHit', () => {
  it('finds the hit of a call, by the name of the operation or a glob', async () => {
    const fault = await readThrice({ skip: 1, limit: 1 })
    expect(toHaveHit(fault, 'get').pass).toBe(true)
    expect(toHaveHit(fault, 'g*', 2).pass).toBe(true)
    expect(told(toHaveHit(fault, 'get', 3))).toEqual([
      false,
      'Expected the fault to have hit call 3 of `get`. adapter/refuse-calls on Store hit 1 of 2 calls: get, call 2.',
    ])
    expect(told(toHaveHit(fault, 'get', 2))).toEqual([
      true,
      'Expected the fault not to have hit call 2 of `get`. adapter/refuse-calls on Store hit 1 of 2 calls: get, call 2.',
    ])
  })

  it('knows the hits of a test though the journal has forgotten them', async () => {
    const store = new Store()
    await withChaos('a test', async (chaos) => {
      const fault = await chaos.inject(refuseCalls({ methods: 'get' }), store, { limit: 1 })
      await store.get('a').catch(() => undefined)
      for (let n = 0; n < 400; n += 1) await readThrice({})
      expect(toHaveHit(fault, 'get', 1).pass).toBe(true)
    })
  })

  it('does not guess where more was hit than is known', async () => {
    const store = new Store()
    await withChaos('a test', async (chaos) => {
      const fault = await chaos.inject(refuseCalls({ methods: 'get' }), store)
      for (let n = 0; n < 1_001; n += 1) await store.get('a').catch(() => undefined)
      expect(toHaveHit(fault, 'get', 1_000).pass).toBe(true)
      expect(toHaveHit(fault, 'get', 1).message()).toContain('hit 1001 of 1001 calls: get, call 1, ')
      expect(toHaveHit(fault, 'get', 1).message()).toContain('; and 991 more.')
      expect(() => toHaveHit(fault, 'get', 1_001)).toThrow(
        'toHaveHit cannot tell: of 1001 hits of the fault adapter/refuse-calls on Store, 1000 are known.',
      )
    })
  })

  it('tells faults with one id apart, one after the other', async () => {
    const store = new Store()
    const down = refuseCalls({ methods: 'get' })
    const get = (): Promise<unknown> => store.get('a').catch(() => undefined)
    await withChaos('a test', async (chaos) => {
      const first = await chaos.inject(down, store, { id: 'outage', limit: 1 })
      await get()
      await first.done
      const second = await chaos.inject(down, store, { id: 'outage', skip: 1 })
      await get()
      await get()
      expect([1, 2].map((call) => toHaveHit(first, 'get', call).pass)).toEqual([true, false])
      expect([1, 2].map((call) => toHaveHit(second, 'get', call).pass)).toEqual([false, true])
    })
  })

  it('knows the hits of a fault that another copy of this package has injected', async () => {
    vi.resetModules()
    const other = await import('../test-chaos/with-chaos.js')
    expect(other.withChaos).not.toBe(withChaos)
    const store = new Store()
    await other.withChaos('a test', async (chaos) => {
      const fault = await chaos.inject(refuseCalls({ methods: 'get' }), store)
      await store.get('a').catch(() => undefined)
      for (let n = 0; n < 400; n += 1) await readThrice({})
      expect(toHaveHit(fault, 'get', 1).pass).toBe(true)
    })
  })

  it('takes the state that a controller gives', async () => {
    const store = new Store()
    const { controller, close } = createChaos({ environment: 'test', targets: { store: target(store, [refuseCalls]) } })
    onTestFinished(() => void close())
    const { id } = await controller.inject('store', 'refuse-calls', { methods: 'get' }, { limit: 1 })
    await store.get('a').catch(() => undefined)
    expect(toHaveLanded(await controller.stop(id)).pass).toBe(true)
  })
})

describe('toRecoverWithin', () => {
  it('waits until a check holds, and tells what the last check said', async () => {
    let checks = 0
    const wellAfterTwo = (): void => {
      checks += 1
      if (checks <= 2) throw new Error('still down')
    }
    expect((await toRecoverWithin(wellAfterTwo, 60_000, { everyMs: 1 })).pass).toBe(true)
    const clock = manualClock()
    const never = toRecoverWithin(() => Promise.reject(new Error('still down')), 100, { everyMs: 50, clock })
    while ((await Promise.race([never, clock.advance(10)])) === undefined);
    expect(told(await never)).toEqual([
      false,
      expect.stringMatching(
        /^Expected recovery within 100 ms\. After \d checks in 1\d\d ms, the last check failed: .*still down\.$/,
      ),
    ])
  })

  it('gives a check up that does not answer, and tells it so', async () => {
    const clock = manualClock()
    let signal: AbortSignal | undefined
    const hanging = toRecoverWithin((given: AbortSignal) => new Promise(() => (signal = given)), 100, { clock })
    await clock.advance(100)
    expect(told(await hanging)).toEqual([
      false,
      'Expected recovery within 100 ms. After 1 check in 100 ms, the last check did not answer.',
    ])
    expect(signal?.aborted).toBe(true)
  })

  it('takes false for not well, and anything else for well', async () => {
    expect(told(await toRecoverWithin(() => undefined, 1_000))).toEqual([
      true,
      'Expected no recovery within 1000 ms. It took 0 ms (1 check); the last check answered undefined.',
    ])
    expect((await toRecoverWithin(() => Promise.resolve(false), 1)).pass).toBe(false)
    await expect(toRecoverWithin(true, 1)).rejects.toThrow('expects a function')
  })
})

describe('toHaveRetried', () => {
  const observation = (...retries: readonly object[]): object => ({
    calls: [{ operation: 'charge' }, ...retries],
    retries: () => retries,
  })
  const doubling = { operation: 'charge', tries: 4, gapsMs: [100, 200, 400], growth: 'exponential' }

  it('compares how often, after which waits, and up to which cap calls were tried again', () => {
    const calls = observation(doubling)
    expect(toHaveRetried(calls).pass).toBe(true)
    expect(toHaveRetried(calls, { operation: 'ch*', times: 3, backoff: 'exponential', capMs: 400 }).pass).toBe(true)
    expect(toHaveRetried(calls, { backoff: 'growing' }).pass).toBe(true)
    expect(told(toHaveRetried(calls, { times: 2, backoff: 'constant' }))).toEqual([
      false,
      'Expected retries, 2 for each call, with constant waits. 1 of 1 retried calls were tried otherwise:\n  charge: 4 tries, waits in ms: 100, 200, 400 (tried again 3 times)',
    ])
    expect(told(toHaveRetried(calls, { backoff: 'constant' }))[1]).toContain('(the waits are exponential)')
    expect(told(toHaveRetried(calls, { capMs: 300 }))[1]).toContain('(waited 400 ms)')
    expect(told(toHaveRetried(calls, { backoff: 'none' }))[1]).toContain('(waited 400 ms)')
    expect(told(toHaveRetried(observation({ ...doubling, growth: 'unknown' }), { backoff: 'linear' }))[1]).toContain(
      'too few waits',
    )
  })

  it('reads what `observeCalls` has seen', async () => {
    const store = new Store()
    const clock = manualClock()
    const calls = await observeCalls(store, { methods: 'get', clock })
    const fault = await inject(refuseCalls({ methods: 'get' }), store, { limit: 3 })
    onTestFinished(async () => {
      await fault.rollback()
      await calls.stop()
    })
    for (const waitMs of [100, 200, 400, 0]) {
      const isRead = await store.get('a').then(
        () => true,
        () => false,
      )
      if (!isRead) await clock.advance(waitMs)
    }
    expect(told(toHaveRetried(calls, { operation: 'get', times: 3, backoff: 'exponential', capMs: 400 }))).toEqual([
      true,
      'Expected no retries of `get`, 3 for each call, with exponential waits, of at most 400 ms, got:\n  get: 4 tries, waits in ms: 100, 200, 400',
    ])
  })

  it('is not met where nothing was tried again', () => {
    expect(told(toHaveRetried(observation(), { operation: 'charge' }))).toEqual([
      false,
      'Expected retries of `charge`. None of 1 calls was tried again.',
    ])
    expect(() => toHaveRetried([])).toThrow('observeCalls')
  })
})

describe('toHaveFiredAlert', () => {
  const lag = { name: 'LagHigh', labels: { severity: 'page', bus: 'orders' }, state: 'firing' }
  const source = (...alerts: readonly object[]): object => ({
    source: 'http://alerts.example',
    read: () => Promise.resolve(alerts),
  })

  it('finds an alert by its name and labels, and lists those that are active', async () => {
    expect((await toHaveFiredAlert(source(lag), 'LagHigh', { labels: { bus: 'orders' } })).pass).toBe(true)
    expect(told(await toHaveFiredAlert(source(lag), 'LagHigh', { labels: { bus: 'mail' } }))).toEqual([
      false,
      'Expected the alert LagHigh{bus="mail"} to fire. Active at the last look (http://alerts.example): LagHigh{severity="page", bus="orders"} firing.',
    ])
    expect(told(await toHaveFiredAlert(source(), 'LagHigh'))[1]).toContain(': no alert.')
  })

  it('waits for a pending alert to fire, and for a source to answer again', async () => {
    const answers = [() => Promise.reject(new Error('no route')), () => Promise.resolve([{ ...lag, state: 'pending' }])]
    const read = (): Promise<readonly object[]> => (answers.shift() ?? (() => Promise.resolve([lag])))()
    expect((await toHaveFiredAlert({ read }, 'LagHigh', { withinMs: 60_000, everyMs: 1 })).pass).toBe(true)
  })

  it('is met neither way where the alerts cannot be read', async () => {
    const failing = { read: () => Promise.reject(new Error('no route')) }
    const unknown = 'Whether the alert LagHigh fires is not known. The alerts could not be read: no route.'
    await expect(toHaveFiredAlert(failing, 'LagHigh')).rejects.toThrow(unknown)
    const misread = { read: () => Promise.resolve({}) } as unknown
    await expect(toHaveFiredAlert(misread, 'LagHigh')).rejects.toThrow('could not be read')
    const clock = manualClock()
    const silent = toHaveFiredAlert({ read: () => new Promise(() => undefined) }, 'LagHigh', { withinMs: 10, clock })
    void clock.advance(10)
    await expect(silent).rejects.toThrow('The alerts could not be read: no answer.')
  })

  it('keeps what it has read though the time ends during a look', async () => {
    const clock = manualClock()
    let looks = 0
    const read = (signal: AbortSignal): Promise<readonly object[]> => {
      looks += 1
      if (looks === 1) return Promise.resolve([])
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
    }
    const answer = toHaveFiredAlert({ read }, 'LagHigh', { withinMs: 30, clock })
    await vi.waitFor(() => expect(looks).toBe(1))
    void clock.advance(20)
    await vi.waitFor(() => expect(looks).toBe(2))
    void clock.advance(10)
    expect(told(await answer)).toEqual([
      false,
      expect.stringContaining('within 30 ms. Active at the last look: no alert.'),
    ])
  })

  it('takes no reader that is none', async () => {
    await expect(toHaveFiredAlert({}, 'LagHigh')).rejects.toThrow('expects an alert reader')
  })
})

describe('all matchers', () => {
  const refused = { code: 'CHAOS_INVALID_OPTION' }
  const calls = { calls: [], retries: () => [] }

  it('refuse what they cannot compare, whichever way they are asked', async () => {
    const fault = await readThrice({})
    for (const call of [0, -1, 1.5, Number.NaN, '1'])
      expect(() => toHaveHit(fault, 'get', call as number)).toThrow(ChaosError)
    for (const name of [undefined, 42, /get/, '']) expect(() => toHaveHit(fault, name as string)).toThrow(ChaosError)
    for (const ms of [undefined, -1, Number.NaN, Number.POSITIVE_INFINITY, '100'])
      await expect(toRecoverWithin(() => false, ms as number)).rejects.toMatchObject(refused)
    await expect(toRecoverWithin(() => false, 1, { every: 1 } as WaitOptions)).rejects.toThrow(
      'Did you mean "everyMs"?',
    )
    for (const expected of [
      { time: 3 },
      { times: 0 },
      { times: Number.NaN },
      { backoff: 'often' },
      { operation: 5 },
      3,
    ])
      expect(() => toHaveRetried(calls, expected as ExpectedRetries)).toThrow(ChaosError)
    const source = { read: () => Promise.resolve([]) }
    await expect(toHaveFiredAlert(source, undefined as unknown as string)).rejects.toMatchObject(refused)
    await expect(toHaveFiredAlert(source, 'a', { label: {} } as ExpectedAlert)).rejects.toMatchObject(refused)
    await expect(toHaveFiredAlert(source, 'a', { withinMs: Number.NaN })).rejects.toMatchObject(refused)
  })
})

describe('check', () => {
  it('throws the message of a matcher that is not met', async () => {
    const fault = await readThrice({ only: 'put' })
    expect(() => check(toHaveLanded(fault))).toThrow('Expected the fault to have landed.')
    await expect(check(toRecoverWithin(() => false, 1))).rejects.toThrow('Expected recovery within 1 ms.')
    check(toHaveLanded(await readThrice({})))
  })
})
