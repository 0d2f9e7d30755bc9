import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { Store } from '../../../test/store.js'
import { flapCalls } from './flap-calls.js'

describe('flapCalls', () => {
  it.each([
    ['down', '.......UUU.......UUU'],
    ['up', 'UUU.......UUU.......'],
  ] as const)('is %s first, and follows its schedule', async (first, schedule) => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(flapCalls({ downMs: 70, upMs: 30, first }), store, { clock })
    let seen = ''
    await clock.advance(5)
    while (seen.length < schedule.length) {
      seen += await store.get('a').then(
        () => 'U',
        (error: unknown) => (expect(error).toMatchObject({ code: 'ECONNREFUSED' }), '.'),
      )
      await clock.advance(10)
    }
    expect(seen).toBe(schedule)
    // What came while it was up is outside the blast radius.
    expect([injection.seen, injection.affected]).toEqual([14, 14])
    await injection.rollback()
    expect(clock.pending).toBe(0)
    await expect(store.get('a')).resolves.toBeUndefined()
  })

  it.each([
    { downMs: 0, upMs: 10 },
    { downMs: 10, upMs: 0 },
  ])('refuses a schedule that stands still: %o', (options) => {
    expect(() => flapCalls(options)).toThrow('to be more than 0 ms, got `0`')
  })

  it('is up for good once it has ended, whatever its schedule said', async () => {
    const clock = manualClock()
    const store = new Store()
    const injection = await inject(flapCalls({ downMs: 10, upMs: 10 }), store, { clock, leaseMs: 15 })
    await clock.advance(1_000)
    expect([injection.outcome, clock.pending]).toEqual(['lease-expired', 0])
    await expect(store.get('a')).resolves.toBeUndefined()
  })
})
