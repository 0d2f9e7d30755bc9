import { fork, type ChildProcess } from 'node:child_process'
import type { Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { Piscina } from 'piscina'
import { describe, expect, it, vi } from 'vitest'
import { isAlive, makeWorker, startWorker } from '../../test/support.js'
import { childFile, taskFile } from '../../test/task-file.js'
import { killReturningWorkers } from './kill-returning-workers.js'

/** A supervisor that brings its worker back at once, and counts. */
function supervise<Kept extends Worker | ChildProcess>(
  start: () => Kept,
): { readonly current: () => Kept; readonly starts: () => number; readonly stop: () => void } {
  let starts = 0
  let isStopping = false
  const next = (): Kept => {
    starts += 1
    const started = start()
    started.once('exit', () => {
      if (!isStopping) current = next()
    })
    return started
  }
  let current = next()
  return { current: () => current, starts: () => starts, stop: () => (isStopping = true) }
}

describe('killReturningWorkers', () => {
  it('kills a worker and every replacement, at most as often as its limit says', async () => {
    const supervisor = supervise(() => makeWorker())
    const injection = await inject(killReturningWorkers(), supervisor.current, { limit: 5 })
    expect((await injection.done).outcome).toBe('limit-spent')
    await vi.waitFor(() => expect(supervisor.starts()).toBe(6))
    supervisor.stop()
    expect(injection.snapshot()).toMatchObject({ seen: 5, affected: 5 })
    expect(new Set(injection.evidence.map(({ threadId }) => threadId)).size).toBe(5)
  })

  it('kills processes with SIGKILL', async () => {
    const signals: unknown[] = []
    const supervisor = supervise(() => fork(childFile).on('exit', (_code, signal) => signals.push(signal)))
    const injection = await inject(killReturningWorkers(), supervisor.current, { limit: 2 })
    await injection.done
    await vi.waitFor(() => expect(supervisor.starts()).toBe(3))
    supervisor.stop()
    expect(signals).toEqual(['SIGKILL', 'SIGKILL'])
    supervisor.current().kill('SIGKILL')
  })

  it('finds the replacement for a pool thread that died with its task', async () => {
    const pool = new Piscina({ filename: taskFile, maxThreads: 1, atomics: 'disabled' })
    try {
      for (let kill = 0; kill < 3; kill += 1) {
        // Up first, so that the task has begun when its thread dies.
        await pool.run({ id: kill })
        const lost = expect(pool.run({ id: kill, forMs: 60_000 })).rejects.toThrow('worker exited')
        const injection = await inject(killReturningWorkers(), pool, { limit: 1 })
        expect((await injection.done).affected).toBe(1)
        await lost
      }
      expect(await pool.run({ id: 9 })).toBe(9)
    } finally {
      await pool.destroy()
    }
  })

  it('leaves a worker alive for aliveMs, and for good if the fault ends first', async () => {
    const clock = manualClock()
    const worker = await startWorker()
    const injection = await inject(killReturningWorkers({ aliveMs: 100, lookEveryMs: 10 }), worker, { clock })
    await clock.advance(109)
    expect([isAlive(worker), injection.affected, injection.held]).toEqual([true, 1, 1])
    await injection.rollback()
    await clock.advance(1_000)
    expect([isAlive(worker), clock.pending]).toEqual([true, 0])
    const again = await inject(killReturningWorkers({ aliveMs: 100, lookEveryMs: 10 }), worker, { clock })
    await clock.advance(110)
    await vi.waitFor(() => expect(isAlive(worker)).toBe(false))
    expect(again.evidence).toHaveLength(1)
    await again.rollback()
  })

  it('refuses a target without a live worker', async () => {
    await expect(inject(killReturningWorkers(), () => [])).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
    expect(() => killReturningWorkers({ aliveMs: -1 })).toThrow('aliveMs')
  })
})
