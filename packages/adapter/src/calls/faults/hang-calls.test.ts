import { inject, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { describeContract, Store } from '../../../test/store.js'
import { hangCalls } from './hang-calls.js'

/** What has become of a promise by now. */
const stateOf = async (promise: Promise<unknown>): Promise<unknown> => {
  const pending = Symbol('pending')
  const state = await Promise.race([
    promise.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
    new Promise((resolve) => setImmediate(resolve, pending)),
  ])
  return state === pending ? 'pending' : state
}

describe('hangCalls', () => {
  describe('of the response', () => describeContract(() => hangCalls({ seam: 'response' })))

  it('gives no answer until the fault ends, then lets calls go on in order', async () => {
    const store = new Store()
    const injection = await inject(hangCalls(), store)
    const calls = [store.set('a', '1'), store.set('a', '2')]
    expect(await stateOf(Promise.race(calls))).toBe('pending')
    expect([store.reached, injection.held]).toEqual([[], 2])
    await injection.rollback()
    expect(await Promise.all(calls)).toEqual(['OK', 'OK'])
    expect(await store.get('a')).toBe('2')
  })

  it('lets the service do it and keeps the answer back, with the seam response', async () => {
    const store = new Store()
    const injection = await inject(hangCalls({ seam: 'response' }), store)
    const calls = [store.set('a', '1'), store.fail()]
    expect(await stateOf(Promise.race(calls))).toBe('pending')
    expect([store.reached, injection.held]).toEqual([['set a', 'fail'], 2])
    await injection.rollback()
    expect(await Promise.allSettled(calls)).toEqual([
      { status: 'fulfilled', value: 'OK' },
      { status: 'rejected', reason: new RangeError('its own') },
    ])
  })

  it.each(['request', 'response'] as const)(
    'ends at once when the caller gives up, with its reason, and leaves no listener (%s)',
    async (seam) => {
      const store = new Store()
      await withFault(hangCalls({ seam }), store, async (injection) => {
        const caller = new AbortController()
        const reason = new Error('enough')
        const [inOptions, asArgument, refused] = [
          store.get('a', { signal: caller.signal }),
          store.get('b', caller.signal as never),
          store.get('c', { signal: AbortSignal.abort('before') }),
        ]
        await expect(refused).rejects.toBe('before')
        caller.abort(reason)
        await expect(inOptions).rejects.toBe(reason)
        await expect(asArgument).rejects.toBe(reason)
        expect(injection.held).toBe(0)
        expect(getEventListeners(caller.signal, 'abort')).toEqual([])
      })
      expect(store.reached).toEqual(seam === 'request' ? [] : ['get a', 'get b', 'get c'])
    },
  )

  it('obeys AbortSignal.timeout: the reason is its TimeoutError', async () => {
    const store = new Store()
    await withFault(hangCalls(), store, () =>
      expect(store.get('a', { signal: AbortSignal.timeout(5) })).rejects.toMatchObject({ name: 'TimeoutError' }),
    )
  })

  it('hangs an iteration from its call on, and lets it go on afterwards', async () => {
    const store = new Store()
    await store.set('a', '1')
    const injection = await inject(hangCalls({ methods: 'scan' }), store)
    const scan = store.scan()
    expect(injection.held).toBe(1)
    const first = scan.next()
    expect(await stateOf(first)).toBe('pending')
    await injection.rollback()
    expect([await first, await scan.next()]).toEqual([
      { value: 'a', done: false },
      { value: 1, done: true },
    ])
  })

  it('ends by itself once its limit is spent and nothing hangs any more', async () => {
    const store = new Store()
    const clock = manualClock()
    const injection = await inject(hangCalls({ seam: 'response' }), store, { limit: 1, clock, leaseMs: 1_000 })
    const call = store.get('a')
    await clock.advance(999)
    expect(injection.status).toBe('active')
    await clock.advance(1)
    expect(await call).toBeUndefined()
    expect(injection.outcome).toBe('lease-expired')
  })

  it('refuses what cannot wait', async () => {
    await expect(inject(hangCalls({ methods: 'keys' }), new Store())).rejects.toThrow(
      'Expected methods that can wait, got `keys`, which answers with an iterator.',
    )
    await expect(inject(hangCalls({ methods: 'scan', seam: 'response' }), new Store())).rejects.toThrow(
      'Expected methods that answer with a promise, got `scan`, which answers with an async-iterator.',
    )
    await expect(inject(hangCalls({ methods: 'size' }), new Store())).rejects.toThrow(
      'got `size`, which answers with a value',
    )
  })
})
