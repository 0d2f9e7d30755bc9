import { inject, injectedBy } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { describeContract, Store } from '../../../test/store.js'
import { timeOutCalls } from './time-out-calls.js'

describe('timeOutCalls', () => {
  describe('of the response', () => describeContract(() => timeOutCalls({ timeoutMs: 100, seam: 'response' })))

  it.each(['request', 'response'] as const)('fails a call after its time and not before (%s)', async (seam) => {
    const store = new Store()
    const clock = manualClock()
    const injection = await inject(timeOutCalls({ timeoutMs: 100, seam, host: '10.0.0.7', port: 6379 }), store, {
      clock,
    })
    let error: unknown
    const call = store.set('a', '1').catch((reason: unknown) => (error = reason))
    await clock.advance(99)
    expect([error, injection.held]).toEqual([undefined, 1])
    await clock.advance(1)
    await call
    expect(error).toMatchObject({ code: 'ETIMEDOUT', message: 'connect ETIMEDOUT 10.0.0.7:6379' })
    expect(injectedBy(error)).toBe('adapter/time-out-calls')
    expect(store.reached).toEqual(seam === 'request' ? [] : ['set a'])
    await injection.rollback()
  })

  it.each(['request', 'response'] as const)(
    'lets calls that hang when it ends go on as in health (%s)',
    async (seam) => {
      const store = new Store()
      const clock = manualClock()
      const injection = await inject(timeOutCalls({ timeoutMs: 100, seam }), store, { clock })
      const call = store.set('a', '1')
      await clock.advance(50)
      await injection.rollback()
      expect(await call).toBe('OK')
      expect([store.reached, clock.pending]).toEqual([['set a'], 0])
    },
  )

  it('times an iteration out too', async () => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(timeOutCalls({ methods: 'scan', timeoutMs: 100 }), store, { clock })
    const first = store
      .scan()
      .next()
      .catch((error: unknown) => error)
    await clock.advance(100)
    expect(await first).toMatchObject({ code: 'ETIMEDOUT' })
    await injection.rollback()
  })

  it('ends the wait with the reason of the caller', async () => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(timeOutCalls({ timeoutMs: 100 }), store, { clock })
    const caller = new AbortController()
    const call = store.get('a', { signal: caller.signal })
    caller.abort('enough')
    await expect(call).rejects.toBe('enough')
    expect(injection.held).toBe(0)
    await injection.rollback()
  })
})
