import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import fc from 'fast-check'
import { Piscina } from 'piscina'
import { Tinypool } from 'tinypool'
import { describe, expect, it, vi } from 'vitest'
import workerpool from 'workerpool'
import { taskFile, workerpoolFile } from '../../test/task-file.js'
import { exitWorker } from '../faults/exit-worker.js'
import { terminateWorker } from '../faults/terminate-worker.js'
import { liveWorkers } from '../targets/workers.js'
import { trackWorkers } from '../targets/track-workers.js'
import { observeTasks } from './observe-tasks.js'

const clean = { failed: 0, silent: 0, lost: 0, retried: 0, duplicated: 0, pending: 0 }

/** A pool whose answers a test gives by hand. */
function handPool(): {
  readonly pool: { run(task: unknown): Promise<unknown> }
  readonly answers: { resolve(value: unknown): void; reject(error: Error): void }[]
} {
  const answers: { resolve(value: unknown): void; reject(error: Error): void }[] = []
  return { answers, pool: { run: () => new Promise((resolve, reject) => answers.push({ resolve, reject })) } }
}

describe('the account of a pool', () => {
  it('of piscina counts a failed task and its retry', async () => {
    const pool = new Piscina({ filename: taskFile, maxThreads: 1, atomics: 'disabled' })
    try {
      const tasks = await observeTasks(pool)
      const task = { id: 1 }
      await pool.run(task)
      expect(tasks.account).toEqual({ ...clean, handed: 1, attempts: 1, done: 1 })
      const long = { id: 2, forMs: 60_000 }
      const told = expect(pool.run(long)).rejects.toThrow('worker exited')
      await inject(terminateWorker(), pool)
      await told
      expect([tasks.account.failed, tasks.account.lost, tasks.lostTasks]).toEqual([1, 1, [long]])
      long.forMs = 0
      expect(await pool.run(long)).toBe(2)
      expect(tasks.account).toEqual({ ...clean, handed: 2, attempts: 3, done: 2, retried: 1 })
      await tasks.stop()
      await pool.run(task)
      expect(tasks.account.attempts).toBe(3)
    } finally {
      await pool.destroy()
    }
  })

  it.each([
    ['terminated', terminateWorker],
    ['made to exit', exitWorker],
  ] as const)('of tinypool shows a task of which nobody is told, when its thread is %s', async (_how, kill) => {
    const clock = manualClock()
    const pool = new Tinypool({ filename: taskFile, minThreads: 1, maxThreads: 1 })
    const tasks = await observeTasks(pool, { clock, patienceMs: 1_000 })
    await pool.run({ id: 1 })
    void (pool.run({ id: 2, forMs: 60_000 }) as Promise<unknown>).catch(() => undefined)
    await inject(kill(), pool)
    expect(liveWorkers(pool)).toEqual([])
    expect(tasks.account).toEqual({ ...clean, handed: 2, attempts: 2, done: 1, pending: 1 })
    await clock.advance(1_001)
    expect(tasks.account).toEqual({ ...clean, handed: 2, attempts: 2, done: 1, silent: 1, lost: 1 })
    expect(tasks.probe('lost')()).toBe(1)
    await tasks.stop()
  })

  it('of workerpool counts the running task, and the first task after an idle thread has died', async () => {
    const threads = trackWorkers()
    const pool = workerpool.pool(workerpoolFile, { maxWorkers: 1, workerType: 'thread' })
    const run = (task: object): PromiseLike<unknown> => pool.exec('task', [task])
    try {
      const tasks = await observeTasks(pool, { idOf: (_method, parameters) => (parameters as [object])[0] })
      await run({ id: 1 })
      const lost = expect(Promise.resolve(run({ id: 2, forMs: 60_000 }))).rejects.toThrow(
        'Workerpool Worker terminated Unexpectedly',
      )
      await inject(terminateWorker(), threads)
      await lost
      expect(await run({ id: 3 })).toBe(3)
      await inject(terminateWorker(), threads)
      const again = { id: 4 }
      await expect(Promise.resolve(run(again))).rejects.toThrow('Worker is terminated')
      expect(tasks.account).toEqual({ ...clean, handed: 4, attempts: 4, done: 2, failed: 2, lost: 2 })
      expect(await run(again)).toBe(4)
      expect(tasks.account).toEqual({ ...clean, handed: 4, attempts: 5, done: 3, failed: 1, lost: 1, retried: 1 })
      await tasks.stop()
    } finally {
      threads.close()
      await pool.terminate(true)
    }
  })

  it('counts a task with two results, and one with two effects, as duplicates', async () => {
    const { pool, answers } = handPool()
    const tasks = await observeTasks(pool)
    const [twice, effective] = [{ id: 'twice' }, { id: 'effective' }]
    for (const task of [twice, twice, effective]) void pool.run(task)
    tasks.effect(effective)
    expect(tasks.account.duplicated).toBe(0)
    for (const { resolve } of answers) resolve('done')
    tasks.effect(effective)
    await vi.waitFor(() =>
      expect(tasks.account).toEqual({ ...clean, handed: 2, attempts: 3, done: 2, retried: 1, duplicated: 2 }),
    )
    await tasks.stop()
  })

  it('counts each string or number as a new task, and a synchronous error as a failure', async () => {
    const pool = { submit: (n: number) => (n < 0 ? fail() : n) }
    const fail = (): never => {
      throw new Error('negative')
    }
    const { submit } = pool
    const tasks = await observeTasks(pool, { method: 'submit' })
    expect([pool.submit(1), pool.submit(1)]).toEqual([1, 1])
    expect(() => pool.submit(-1)).toThrow('negative')
    expect(tasks.account).toEqual({ ...clean, handed: 3, attempts: 3, done: 2, failed: 1, lost: 1 })
    await tasks.stop()
    expect(pool.submit).toBe(submit)
  })

  it("returns the pool's own promise", async () => {
    const answer = Promise.resolve('result')
    const pool = { run: () => answer }
    const tasks = await observeTasks(pool)
    expect(pool.run()).toBe(answer)
    await tasks.stop()
  })

  it('balances for any outcomes, and however few tasks it remembers', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom('resolve', 'reject', 'nothing')), {
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 50 }),
        async (calls, remembered) => {
          const { pool, answers } = handPool()
          const tasks = await observeTasks(pool, { idOf: (task) => task, tasks: remembered })
          for (const [task, outcome] of calls) {
            const running = pool.run(task)
            const answer = answers.at(-1)
            if (outcome === 'resolve') answer?.resolve(task)
            else if (outcome === 'reject') answer?.reject(new Error('lost'))
            if (outcome !== 'nothing') await running.catch(() => undefined)
          }
          const { handed, attempts, done, pending, failed, silent, lost, retried } = tasks.account
          expect([handed, attempts, lost]).toEqual([done + pending + failed + silent, calls.length, failed])
          expect(retried).toBe(attempts - handed)
          if (remembered >= 10) expect(handed).toBe(new Set(calls.map(([task]) => task)).size)
          await tasks.stop()
        },
      ),
    ))

  it('remembers a bounded number of failed tasks, and counts all of them', async () => {
    const pool = { run: (_task: object) => Promise.reject(new Error('no worker')) }
    const tasks = await observeTasks(pool, { tasks: 10 })
    const last: object[] = []
    for (let n = 0; n < 100; n += 1) {
      const task = { n }
      last.push(task)
      await pool.run(task).catch(() => undefined)
    }
    for (let n = 0; n < 100; n += 1) tasks.effect({ n })
    expect(tasks.account).toEqual({ ...clean, handed: 100, attempts: 100, done: 0, failed: 100, lost: 100 })
    expect(tasks.lostTasks.length).toBeLessThanOrEqual(10)
    await tasks.stop()
  })

  it('lets a task pass on which `idOf` throws', async () => {
    const pool = { run: (task: number) => Promise.resolve(task) }
    const tasks = await observeTasks(pool, {
      idOf: () => {
        throw new Error('no id')
      },
    })
    expect([await pool.run(1), await pool.run(2)]).toEqual([1, 2])
    expect(tasks.account).toEqual({ ...clean, handed: 2, attempts: 2, done: 2 })
    await tasks.stop()
  })

  it('refuses an object without a task method, and invalid options', async () => {
    await expect(observeTasks({})).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
      message: expect.stringContaining('`run` or `exec`') as string,
    })
    await expect(observeTasks({ run: () => undefined }, { method: 'submit' })).rejects.toMatchObject({
      code: 'CHAOS_TARGET_MISMATCH',
    })
    await expect(observeTasks({ run: () => undefined }, { patienceMs: -1 })).rejects.toMatchObject({
      code: 'CHAOS_INVALID_OPTION',
      message: expect.stringContaining('`patienceMs` of observeTasks') as string,
    })
  })
})
