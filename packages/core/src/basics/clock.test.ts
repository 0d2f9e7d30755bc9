import { EventEmitter } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import { performance } from 'node:perf_hooks'
import timers from 'node:timers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { drop } from '../../test/faults.js'
import { systemClock } from './clock.js'
import { inject } from '../injection/inject.js'
import { manualClock } from '../testing/manual-clock.js'

describe('systemClock', () => {
  it('waits for a delay longer than a Node.js timer takes, without firing early or warning', async () => {
    const warned = vi.fn()
    process.on('warning', warned)
    onTestFinished(() => void process.off('warning', warned))
    const cancel = systemClock.after(2 ** 31, () => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    cancel()
    expect(warned).not.toHaveBeenCalled()
  })

  it('ends two equal delays in the order in which they began, though the timer of the first fires early', async () => {
    const block = (ms: number): void => {
      const until = performance.now() + ms
      while (performance.now() < until);
    }
    const ended: string[] = []
    // Node.js counts whole milliseconds: a timer that starts at the end of one, in an event loop that does not wait, fires early.
    while (process.hrtime()[1] % 1_000_000 < 800_000);
    systemClock.after(5, () => ended.push('first'))
    timers.setTimeout(() => block(10), 5)
    systemClock.after(5, () => ended.push('second'))
    while (ended.length < 2) await new Promise((resolve) => setImmediate(resolve))
    expect(ended).toEqual(['first', 'second'])
  })

  it('never fires early, even after the event loop was blocked', async () => {
    const blockUntil = performance.now() + 30
    while (performance.now() < blockUntil);
    const late = await Promise.all(
      [0, 1, 3, 7.5, 20].map(
        (ms) =>
          new Promise<number>((resolve) => {
            const start = performance.now()
            systemClock.after(ms, () => resolve(performance.now() - start - ms))
          }),
      ),
    )
    for (const ms of late) expect(ms).toBeGreaterThanOrEqual(0)
  })

  it('uses real timers although a test runner fakes them', async () => {
    vi.useFakeTimers()
    try {
      await new Promise<void>((resolve) => void systemClock.after(1, resolve))
    } finally {
      vi.useRealTimers()
    }
  })

  it('is used by lease, limit and manual clock although everything is faked, node:timers and microtasks included', async () => {
    const fakes = [
      ...[timers, globalThis].flatMap((owner) =>
        (['setTimeout', 'clearTimeout', 'setImmediate'] as const).map((name) =>
          vi.spyOn(owner, name).mockImplementation(() => undefined as never),
        ),
      ),
      vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => undefined),
      vi.spyOn(performance, 'now').mockReturnValue(0),
      vi.spyOn(process, 'hrtime').mockReturnValue([0, 0]),
    ]
    syncBuiltinESMExports()
    onTestFinished(() => {
      for (const fake of fakes) fake.mockRestore()
      syncBuiltinESMExports()
    })
    const bus = new EventEmitter()
    const limited = await inject(drop(), bus, { limit: 1 })
    bus.emit('tick')
    expect((await limited.done).outcome).toBe('limit-spent')
    const leased = await inject(drop(), bus, { leaseMs: 5 })
    expect((await leased.done).outcome).toBe('lease-expired')
    await manualClock().advance(10)
  })

  it('tells the time of day, and can be cancelled', () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(60_000)
    const work = vi.fn()
    const cancel = systemClock.after(0, work)
    cancel()
    cancel()
    expect(work).not.toHaveBeenCalled()
  })
})

describe('manualClock', () => {
  it('runs work that is due in order, including work added meanwhile', async () => {
    const clock = manualClock(100)
    const ran: [string, number][] = []
    const log = (name: string) => () => void ran.push([name, clock.now()])
    clock.after(20, log('b'))
    clock.after(10, () => {
      log('a')()
      void Promise.resolve().then(() => clock.after(5, log('added')))
    })
    clock.after(50, log('later'))
    await clock.advance(30)
    expect(ran).toEqual([
      ['a', 110],
      ['added', 115],
      ['b', 120],
    ])
    expect(clock.now()).toBe(130)
    expect(clock.pending).toBe(1)
  })
})
