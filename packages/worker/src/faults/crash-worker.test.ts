import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { inject, injectedBy } from '@chaos/core'
import { Tinypool } from 'tinypool'
import { describe, expect, it } from 'vitest'
import { ECHO, isAlive, startWorker } from '../../test/support.js'
import { taskFile } from '../../test/task-file.js'
import { crashWorker } from './crash-worker.js'

/** A worker whose `error` is heard, so that a crash ends the worker and not this process. */
async function startWatched(code?: string): Promise<{ readonly worker: Worker; readonly errors: Error[] }> {
  const worker = await startWorker(code)
  const errors: Error[] = []
  worker.on('error', (error) => errors.push(error))
  return { worker, errors }
}

describe('crashWorker', () => {
  it.each(['exception', 'rejection'] as const)(
    'ends a worker by an uncaught %s, whose holder hears that very error, marked',
    async (by) => {
      const { worker, errors } = await startWatched()
      const { threadId } = worker
      const { evidence } = await inject(crashWorker({ by, message: 'out of luck' }), worker)
      expect(errors.map(({ message }) => message)).toEqual(['out of luck'])
      expect(injectedBy(errors[0])).toBe('worker/crash-worker')
      expect(evidence).toEqual([{ threadId, exitCode: 1, error: 'out of luck', tookMs: expect.any(Number) as number }])
    },
  )

  it.each(['exception', 'rejection'] as const)('reports a worker that handles the %s and survives', async (by) => {
    const { worker, errors } = await startWatched(
      `process.on('uncaughtException', () => undefined).on('unhandledRejection', () => undefined);${ECHO}`,
    )
    const { evidence } = await inject(crashWorker({ by }), worker)
    expect(evidence).toMatchObject([{ survived: true }])
    expect([isAlive(worker), errors]).toEqual([true, []])
    worker.postMessage('still there?')
    expect(await once(worker, 'message')).toEqual(['still there?'])
  })

  it('sees the exit of a worker that handles the error by exiting', async () => {
    const { worker } = await startWatched(
      "process.on('uncaughtException', () => process.exit(9)); setInterval(() => undefined, 1000)",
    )
    expect((await inject(crashWorker(), worker)).evidence).toMatchObject([{ exitCode: 9 }])
  })

  it('makes the task of a pool reject with that error, and the thread is replaced', async () => {
    const pool = new Tinypool({ filename: taskFile, minThreads: 1, maxThreads: 1, useAtomics: false })
    try {
      await pool.run({ id: 1 })
      const failed = expect(pool.run({ id: 2, forMs: 60_000 })).rejects.toThrow('Injected crash')
      await inject(crashWorker(), pool)
      await failed
      expect(await pool.run({ id: 3 })).toBe(3)
    } finally {
      await pool.destroy()
    }
  })
})
