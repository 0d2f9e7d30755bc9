import { inject, withFault } from '@chaos/core'
import { MAX_TIMER_MS } from '@chaos/core/authoring'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { describeContract, Store } from '../../../test/store.js'
import { delayCalls, type DelayCallsOptions } from './delay-calls.js'

/** When each of so many calls was answered, in ms from its start. */
async function lateness(options: DelayCallsOptions, { seed = 1, calls = 20, apartMs = 0 } = {}): Promise<number[]> {
  const clock = manualClock()
  const store = new Store()
  const late: number[] = []
  const injection = await inject(delayCalls(options), store, { clock, seed, id: 'lateness' })
  for (let n = 0; n < calls; n += 1) {
    const at = clock.now()
    void store.get(String(n)).then(() => (late[n] = clock.now() - at))
    await clock.advance(apartMs)
  }
  await clock.advance(20_000)
  await injection.rollback()
  return late
}

describe('delayCalls', () => {
  describe('of the response', () => describeContract(() => delayCalls({ delayMs: 100, seam: 'response' })))

  it('holds the request back for so long, then the service gets it', async () => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(delayCalls({ delayMs: 100 }), store, { clock })
    const call = store.set('a', '1')
    await clock.advance(99)
    expect([store.reached, injection.held]).toEqual([[], 1])
    await clock.advance(1)
    expect([store.reached, injection.held]).toEqual([['set a'], 0])
    expect(await call).toBe('OK')
    await injection.rollback()
  })

  it('holds the response back for so long after the service gave it, errors too', async () => {
    const clock = manualClock()
    const slow = {
      async ask(): Promise<string> {
        return new Promise((resolve) => clock.after(50, () => resolve('answer')))
      },
    }
    const injection = await inject(delayCalls({ delayMs: 100, seam: 'response' }), slow, { clock, limit: 1 })
    let answer: string | undefined
    void slow.ask().then((value) => (answer = value))
    await clock.advance(149)
    expect([answer, injection.held, injection.status]).toEqual([undefined, 1, 'active'])
    await clock.advance(1)
    expect([answer, injection.status]).toEqual(['answer', 'ended'])

    const store = new Store()
    await withFault(delayCalls({ delayMs: 5, seam: 'response' }), store, () =>
      expect(store.fail()).rejects.toThrow('its own'),
    )
  })

  it('lets what is held go on when it ends, before the service has answered as well as after', async () => {
    const clock = manualClock()
    const slow = {
      async ask(ms: number): Promise<number> {
        return new Promise((resolve) => clock.after(ms, () => resolve(ms)))
      },
    }
    const injection = await inject(delayCalls({ delayMs: 100, seam: 'response' }), slow, { clock })
    const calls = [slow.ask(10), slow.ask(80)]
    await clock.advance(50)
    await injection.rollback()
    expect([await calls[0], clock.now()]).toEqual([10, 50])
    await clock.advance(30)
    expect(await calls[1]).toBe(80)
    expect(clock.pending).toBe(0)
  })

  it.each(['request', 'response'] as const)('ends the wait with the reason of the caller (%s)', async (seam) => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(delayCalls({ delayMs: 100, seam }), store, { clock })
    const caller = new AbortController()
    const call = store.set('a', '1', { signal: caller.signal })
    await clock.advance(50)
    caller.abort('enough')
    await expect(call).rejects.toBe('enough')
    await clock.advance(100)
    expect(store.reached).toEqual(seam === 'request' ? [] : ['set a'])
    expect(injection.held).toBe(0)
    await injection.rollback()
  })

  it('delays by exactly delayMs without jitter, and repeats with the seed what it draws with it', async () => {
    expect(new Set(await lateness({ delayMs: 70 }))).toEqual(new Set([70]))
    const drawn = await lateness({ delayMs: 100, jitterMs: 50 })
    expect(new Set(drawn).size).toBe(20)
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(50)
    expect(Math.max(...drawn)).toBeLessThanOrEqual(150)
    expect(await lateness({ delayMs: 100, jitterMs: 50 })).toEqual(drawn)
    expect(await lateness({ delayMs: 100, jitterMs: 50 }, { seed: 2 })).not.toEqual(drawn)
  })

  it('warms up: delays shrink from full to none', async () => {
    expect(await lateness({ delayMs: 100, warmUpMs: 1_000 }, { calls: 6, apartMs: 250 })).toEqual([
      100, 75, 50, 25, 0, 0,
    ])
  })

  it.each([
    [{ delayMs: -1 }, 'Expected `delayMs` of adapter/delay-calls to be a number of ms'],
    [{ delayMs: MAX_TIMER_MS + 1 }, 'got `2147483648`'],
    [{ delayMs: 1, distribution: 'gauss' as 'normal' }, 'one of `uniform`, `normal`, `exponential`'],
    [{}, 'Expected `delayMs`'],
  ])('refuses the options %o where the fault is made', (options, words) => {
    expect(() => delayCalls(options as DelayCallsOptions)).toThrow(words)
  })
})
