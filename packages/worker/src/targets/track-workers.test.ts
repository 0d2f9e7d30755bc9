import type { Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { exempt } from '@chaos/core/authoring'
import { expect, it, vi } from 'vitest'
import workerpool from 'workerpool'
import { makeWorker, startWorker } from '../../test/support.js'
import { workerpoolFile } from '../../test/task-file.js'
import { blockEventLoop } from '../faults/block-event-loop.js'
import { terminateWorker } from '../faults/terminate-worker.js'
import { trackWorkers } from './track-workers.js'

it('tracks live workers that are created from now on and that `where` chooses', async () => {
  const before = await startWorker()
  const threads = trackWorkers()
  const chosen = trackWorkers({ where: (worker) => worker.resourceLimits?.stackSizeMb === 2 })
  const first = await startWorker()
  const second = await startWorker(undefined, { resourceLimits: { stackSizeMb: 2 } })
  expect(threads()).toEqual([first, second])
  expect(threads()).not.toContain(before)
  expect(chosen()).toEqual([second])
  await first.terminate()
  expect(threads()).toEqual([second])
  threads.close()
  chosen.close()
  makeWorker()
  await new Promise(setImmediate)
  expect([threads(), process.listeners('worker')]).toEqual([[second], []])
})

it('leaves out the threads of tools, which no fault on the workers of the application is for', async () => {
  const threads = trackWorkers()
  exempt(makeWorker())
  const own = await startWorker()
  expect(threads()).toEqual([own])
  threads.close()
})

it('reaches the threads of a workerpool, and their replacements, by every fault on threads', async () => {
  const threads = trackWorkers()
  const pool = workerpool.pool(workerpoolFile, {
    maxWorkers: 1,
    workerType: 'thread',
    workerThreadOpts: { name: 'of-the-pool' },
  })
  try {
    expect(await pool.exec('task', [{ id: 1 }])).toBe(1)
    const [thread] = threads() as [Worker]
    const block = await inject(blockEventLoop({ periodMs: 10, name: 'of-the-pool' }), threads)
    await vi.waitFor(() => expect(block.affected).toBeGreaterThan(2))
    const slow = pool.exec('task', [{ id: 2 }])
    await block.rollback()
    expect(await slow).toBe(2)
    const { evidence } = await inject(terminateWorker({ name: 'of-the-pool' }), threads)
    expect(evidence).toMatchObject([{ exitCode: 1 }])
    // The pool finds out by the first task that it hands to the dead.
    await expect(Promise.resolve(pool.exec('task', [{ id: 3 }]))).rejects.toThrow('Worker is terminated')
    expect(await pool.exec('task', [{ id: 4 }])).toBe(4)
    expect(threads()).toHaveLength(1)
    expect(threads()[0]).not.toBe(thread)
  } finally {
    threads.close()
    await pool.terminate(true)
  }
})

it('refuses a `where` that is not a function', () => {
  expect(() => trackWorkers({ where: 'mine' as never })).toThrow(
    'Expected `where` of trackWorkers to be a function, got `string`.',
  )
})

it.each([
  [
    'throws',
    () => {
      throw new Error('a mistake in `where`')
    },
  ],
  ['returns a promise', () => Promise.reject(new Error('a mistake in `where`'))],
])('means no worker on which `where` %s, and lets it be made', async (_what, where) => {
  const threads = trackWorkers({ where: where as never })
  const worker = await startWorker()
  expect(() => (process as NodeJS.EventEmitter).emit('worker', worker)).not.toThrow()
  expect(threads()).toEqual([])
  threads.close()
})

it('adds one listener to the process, however often a module tracks again', () => {
  const all = Array.from({ length: 12 }, () => trackWorkers())
  expect(process.listenerCount('worker')).toBe(1)
  for (const one of [...all, ...all]) one.close()
  expect(process.listenerCount('worker')).toBe(0)
})
