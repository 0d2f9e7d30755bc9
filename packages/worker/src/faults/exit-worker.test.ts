import { once } from 'node:events'
import { inject } from '@chaos/core'
import { Piscina } from 'piscina'
import { describe, expect, it } from 'vitest'
import { ECHO, isAlive, makeWorker, startWorker } from '../../test/support.js'
import { taskFile } from '../../test/task-file.js'
import { exitWorker } from './exit-worker.js'

describe('exitWorker', () => {
  it.each([0, 1, 7, 255])('ends a worker with code %i and without an error event', async (exitCode) => {
    const worker = await startWorker(
      "process.on('exit', (code) => require('node:worker_threads').parentPort.postMessage({ code })); setInterval(() => undefined, 1000)",
    )
    const heard: unknown[] = []
    worker.on('error', (error) => heard.push(error)).on('message', (message) => heard.push(message))
    const { threadId } = worker
    const { evidence } = await inject(exitWorker({ exitCode }), worker)
    expect(evidence).toEqual([{ threadId, exitCode, tookMs: expect.any(Number) as number }])
    expect(heard).toEqual([{ code: exitCode }])
  })

  it('leaves a worker alone that does not yield within the lease, even afterwards', async () => {
    const isFree = new Int32Array(new SharedArrayBuffer(4))
    const worker = await startWorker(
      `const { workerData } = require('node:worker_threads'); while (Atomics.load(workerData, 0) === 0);${ECHO}`,
      { workerData: isFree },
    )
    await expect(inject(exitWorker(), worker, { leaseMs: 50 })).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
    Atomics.store(isFree, 0, 1)
    worker.postMessage('still there?')
    expect(await once(worker, 'message')).toEqual(['still there?'])
    expect(isAlive(worker)).toBe(true)
    expect([worker.listenerCount('exit'), worker.listenerCount('error')]).toEqual([0, 0])
  })

  it('waits until a worker is online, then strikes it', async () => {
    for (let started = 0; started < 10; started += 1) {
      const worker = makeWorker(ECHO)
      const { evidence } = await inject(exitWorker({ exitCode: 3 }), worker)
      expect(evidence).toMatchObject([{ exitCode: 3 }])
      expect([worker.listenerCount('online'), worker.listenerCount('exit')]).toEqual([0, 0])
    }
  })

  it('strikes mid-task', async () => {
    const worker = await startWorker(ECHO)
    const done = inject(exitWorker({ when: 'mid-task', exitCode: 3 }), worker)
    await new Promise(setImmediate)
    expect(isAlive(worker)).toBe(true)
    worker.postMessage('task')
    expect((await done).evidence[0]).toMatchObject({ exitCode: 3 })
  })

  it('makes a pool lose its task and replace the thread', async () => {
    const pool = new Piscina({ filename: taskFile, maxThreads: 1, atomics: 'disabled' })
    try {
      await pool.run({ id: 1 })
      const lost = expect(pool.run({ id: 2, forMs: 60_000 })).rejects.toThrow('worker exited with code: 5')
      await inject(exitWorker({ exitCode: 5 }), pool)
      await lost
      expect(await pool.run({ id: 3 })).toBe(3)
    } finally {
      await pool.destroy()
    }
  })

  it('refuses a code below 0, and a worker that is dead', async () => {
    expect(() => exitWorker({ exitCode: -1 })).toThrow(
      'Expected `exitCode` of worker/exit-worker to be a whole number of at least 0, got `-1`.',
    )
    const worker = await startWorker()
    void worker.terminate()
    await once(worker, 'exit')
    await expect(inject(exitWorker(), worker)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
  })
})
