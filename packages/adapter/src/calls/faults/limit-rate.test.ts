import { inject, injectedBy, withFault } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { Store } from '../../../test/store.js'
import { limitRate } from './limit-rate.js'

describe('limitRate', () => {
  it('takes so many calls in each window, which begins with its first call, and refuses the others', async () => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(limitRate({ calls: 2, perMs: 100 }), store, { clock })
    await clock.advance(70)
    let taken = ''
    for (let at = 0; at < 300; at += 20) {
      taken += await store.get('a').then(
        () => 'x',
        () => '.',
      )
      await clock.advance(20)
    }
    expect(taken).toBe('xx...xx...xx...')
    expect([injection.affected, injection.seen]).toEqual([9, 9])
    await injection.rollback()
    expect(clock.pending).toBe(0)
  })

  it('says in whole seconds when to come back', async () => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(limitRate({ calls: 1, perMs: 2_500 }), store, { clock })
    await store.get('a')
    const refused = async (): Promise<unknown> => store.get('a').catch((error: unknown) => error)
    expect(await refused()).toMatchObject({
      message: 'Too Many Requests',
      status: 429,
      statusCode: 429,
      code: 'ERR_TOO_MANY_REQUESTS',
      headers: { 'retry-after': '3' },
    })
    expect(injectedBy(await refused())).toBe('adapter/limit-rate')
    await clock.advance(2_400)
    expect(await refused()).toMatchObject({ headers: { 'retry-after': '1' } })
    await injection.rollback()
  })

  it('answers with a response of status 429 where the service is asked by fetch', async () => {
    const api = {
      async fetch(_url: string): Promise<Response> {
        return Promise.resolve(new Response('ok'))
      },
    }
    await withFault(limitRate({ calls: 1, perMs: 5_000, refusal: 'response' }), api, async () => {
      const [first, second] = [await api.fetch('/'), await api.fetch('/')]
      expect([first.status, await first.text()]).toEqual([200, 'ok'])
      expect([second.status, second.statusText, second.headers.get('retry-after')]).toEqual([
        429,
        'Too Many Requests',
        '5',
      ])
      expect(injectedBy(second)).toBe('adapter/limit-rate')
    })
  })

  it('keeps one quota for all methods, spends none on calls that `only` leaves out, and takes a custom error', async () => {
    const store = new Store()
    await withFault(
      limitRate({ calls: 2, perMs: 60_000, message: 'slow down', code: 'QUOTA' }),
      store,
      { only: (args) => args[0] !== 'free' },
      async () => {
        for (let n = 0; n < 5; n += 1) await store.get('free')
        await store.get('a')
        await store.set('a', '1')
        await expect(store.get('a')).rejects.toMatchObject({ message: 'slow down', code: 'QUOTA' })
        await expect(store.get('free')).resolves.toBeUndefined()
      },
    )
  })
})
