import { performance } from 'node:perf_hooks'
import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { describe, expect, it } from 'vitest'
import { blockMainThread } from './block-main-thread.js'

describe('blockMainThread', () => {
  it('blocks the loop for the given time, then lets it run', async () => {
    const clock = manualClock()
    await using injection = await inject(blockMainThread({ blockMs: 60, everyMs: 10 }), process, { clock })
    const before = performance.now()
    let longest = 0
    let lastTurn = before
    const look = (): void => {
      longest = Math.max(longest, performance.now() - lastTurn)
      lastTurn = performance.now()
      next = setImmediate(look)
    }
    let next = setImmediate(look)
    await clock.advance(10)
    expect(performance.now() - before).toBeGreaterThanOrEqual(60)
    expect(injection.affected).toBe(1)
    await new Promise(setImmediate)
    clearImmediate(next)
    expect(longest).toBeGreaterThanOrEqual(60)
  })

  it('asks for no longer block than its lease lasts', async () => {
    const clock = manualClock()
    const injection = await inject(blockMainThread({ blockMs: 5_000, everyMs: 10 }), process, { clock, leaseMs: 30 })
    const before = performance.now()
    await clock.advance(10)
    expect(injection.affected).toBe(1)
    expect(performance.now() - before).toBeLessThan(5_000)
    await injection.rollback()
  })

  it('refuses more than 5 s, and anything but this process', async () => {
    expect(() => blockMainThread({ blockMs: 5_001 })).toThrow('at most 5000, got `5001`')
    expect(() => blockMainThread({ blockMs: 0 })).toThrow('blockMs')
    await expect(inject(blockMainThread({ blockMs: 1 }), { pid: 1 } as NodeJS.Process)).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
    })
  })
})
