import { fork, spawn } from 'node:child_process'
import cluster from 'node:cluster'
import { once, type EventEmitter } from 'node:events'

import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { Piscina } from 'piscina'
import { Tinypool } from 'tinypool'
import { describe, expect, it } from 'vitest'
import { ECHO, isAlive, startWorker, startWorkers } from '../../test/support.js'
import workerpool from 'workerpool'
import { childFile, taskFile, workerpoolFile } from '../../test/task-file.js'
import { blockEventLoop } from '../faults/block-event-loop.js'
import { crashWorker } from '../faults/crash-worker.js'
import { exhaustHeap } from '../faults/exhaust-heap.js'
import { exitWorker } from '../faults/exit-worker.js'
import { killReturningWorkers } from '../faults/kill-returning-workers.js'
import { terminateWorker, type TerminateWorkerOptions } from '../faults/terminate-worker.js'
import { isProcessTarget, liveProcesses } from '../targets/processes.js'
import { shareOf } from './selection.js'
import { trackWorkers } from '../targets/track-workers.js'
import { isWorkerTarget, liveWorkers } from '../targets/workers.js'

const survivors = async (
  options: TerminateWorkerOptions,
  workers: Awaited<ReturnType<typeof startWorkers>>,
): Promise<boolean[]> => {
  await inject(terminateWorker(options), workers)
  return workers.map(isAlive)
}

describe('a selection of workers', () => {
  it('finds the oldest and the newest by their thread ids', async () => {
    const workers = (await startWorkers(3)).sort((a, b) => a.threadId - b.threadId)
    expect(await survivors({ select: 'newest' }, workers)).toEqual([true, true, false])
    expect(await survivors({ select: 'oldest' }, workers)).toEqual([false, true, false])
  })

  it('finds the busiest by event-loop utilisation over a window', async () => {
    const idle = await startWorker()
    const busy = await startWorker('for (;;);')
    expect(await survivors({ select: 'busiest', windowMs: 30 }, [idle, busy, await startWorker()])).toEqual([
      true,
      false,
      true,
    ])
  })

  it('chooses by name, by thread id, and by workerData', async () => {
    const code = 'setInterval(() => undefined, 1000)'
    const workers = [
      await startWorker(code, { name: 'loop-1', workerData: { shard: 1 } }),
      await startWorker(code, { name: 'loop-2', workerData: { shard: 2 } }),
      await startWorker(code, { name: 'other' }),
    ]
    expect(
      await survivors(
        { select: 'all', where: ({ workerData }) => (workerData as { shard?: number } | null)?.shard === 2 },
        workers,
      ),
    ).toEqual([true, false, true])
    expect(await survivors({ select: 'all', name: 'loop-*' }, workers)).toEqual([false, false, true])
    expect(await survivors({ threadId: workers[2]?.threadId ?? 0 }, workers)).toEqual([false, false, false])
  })

  it.each<TerminateWorkerOptions>([{ name: 'nobody' }, { threadId: 999_999 }, { where: () => false }])(
    'refuses %o where nobody fits, and terminates nothing',
    async (options) => {
      const worker = await startWorker()
      await expect(inject(terminateWorker(options), worker)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
      expect(isAlive(worker)).toBe(true)
    },
  )

  it('rounds a share up, but ignores the rounding error of binary fractions', () => {
    expect([shareOf(25, 0.28), shareOf(4, 0.3), shareOf(3, 1e-12), shareOf(3, 0), shareOf(3, 1)]).toEqual([
      7, 2, 1, 0, 3,
    ])
    for (let count = 1; count <= 200; count += 1)
      for (let part = 0; part <= 100; part += 1)
        expect(shareOf(count, part / 100)).toBe(Math.ceil((count * part) / 100))
  })

  it('refuses an unknown selector, a share above 1 and a position below 1', () => {
    expect(() => terminateWorker({ select: 'any' as 'all' })).toThrow(
      'Expected `select` of worker/terminate-worker to be one of',
    )
    expect(() => terminateWorker({ select: 'share', share: 1.5 })).toThrow(
      '`share` of worker/terminate-worker to be a number from 0 to 1, got `1.5`',
    )
    expect(() => terminateWorker({ select: 'nth', nth: 0 })).toThrow(
      '`nth` of worker/terminate-worker to be a whole number of at least 1, got `0`',
    )
    expect(() => terminateWorker({ select: 'busiest', windowMs: -1 })).toThrow('`windowMs` of worker/terminate-worker')
  })

  it('refuses a window without `busiest`', () => {
    expect(() => terminateWorker({ windowMs: 10 })).toThrow(
      'Option "windowMs" of worker/terminate-worker works with `select: busiest` only',
    )
  })
})

describe('the moment', () => {
  it('of the n-th message is right after the application has received it', async () => {
    const worker = await startWorker(ECHO)
    const heard: unknown[] = []
    worker.on('message', (message) => heard.push(message))
    const done = inject(terminateWorker({ when: 'message', messages: 3 }), worker)
    for (let i = 1; i <= 5; i += 1) {
      const answered = Promise.race([once(worker, 'message'), once(worker, 'exit')])
      worker.postMessage(i)
      await answered
      if (!isAlive(worker)) break
    }
    await done
    expect(heard.slice(0, 3)).toEqual([1, 2, 3])
    expect(Object.hasOwn(worker, 'emit')).toBe(false)
  })

  it('of mid-task is right after a task was handed over, which then stays undone', async () => {
    const worker = await startWorker(
      "const { parentPort: port } = require('node:worker_threads'); port.on('message', (message) => setTimeout(() => port.postMessage(message), 60_000))",
    )
    const heard: unknown[] = []
    worker.on('message', (message) => heard.push(message))
    const done = inject(terminateWorker({ when: 'mid-task' }), worker)
    await new Promise(setImmediate)
    expect(isAlive(worker)).toBe(true)
    worker.postMessage('task')
    expect((await done).evidence).toHaveLength(1)
    expect(heard).toEqual([])
  })

  it('that never comes ends with the lease, and leaves no patch', async () => {
    const worker = await startWorker()
    const before = Object.getPrototypeOf(worker) as object
    await expect(inject(terminateWorker({ when: 'mid-task' }), worker, { leaseMs: 20 })).rejects.toMatchObject({
      code: 'CHAOS_INJECTION_ENDED',
    })
    expect([isAlive(worker), worker.listenerCount('exit'), Object.getPrototypeOf(worker)]).toEqual([true, 0, before])
  })
})

describe('a pool', () => {
  it('of piscina loses the running task, rejects it, and replaces the thread', async () => {
    const pool = new Piscina({ filename: taskFile, minThreads: 1, maxThreads: 1, atomics: 'disabled' })
    try {
      await pool.run({ id: 1 })
      const lost = expect(pool.run({ id: 2, forMs: 60_000 })).rejects.toThrow('worker exited with code: 1')
      await inject(terminateWorker(), pool)
      await lost
      expect(await pool.run({ id: 3 })).toBe(3)
    } finally {
      await pool.destroy()
    }
    await expect(inject(terminateWorker(), pool)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
  })

  it('of tinypool is affected too: the dead thread keeps its slot, and its task never settles', async () => {
    const pool = new Tinypool({ filename: taskFile, minThreads: 1, maxThreads: 1 })
    await pool.run({ id: 1 })
    let settled = false
    void pool
      .run({ id: 2, forMs: 60_000 })
      .finally(() => (settled = true))
      .catch(() => undefined)
    await inject(terminateWorker(), pool)
    await expect(inject(terminateWorker(), pool)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
    expect([settled, pool.threads.length]).toEqual([false, 1])
  })
})

describe('a pool that is closed', () => {
  it.each<[string, () => Promise<object>]>([
    [
      'piscina',
      async () => {
        const pool = new Piscina({ filename: taskFile, maxThreads: 1 })
        await pool.run({ id: 1 })
        await pool.close()
        return pool
      },
    ],
    [
      'tinypool',
      async () => {
        const pool = new Tinypool({ filename: taskFile, maxThreads: 1 })
        await pool.run({ id: 1 })
        await pool.destroy()
        return pool
      },
    ],
    [
      'workerpool',
      async () => {
        const threads = trackWorkers()
        const pool = workerpool.pool(workerpoolFile, { maxWorkers: 1, workerType: 'thread' })
        await pool.exec('task', [{ id: 1 }])
        await pool.terminate()
        threads.close()
        return threads
      },
    ],
  ])('of %s has no live worker, for any fault', async (_name, make) => {
    const pool = (await make()) as Piscina
    for (const fault of [
      terminateWorker(),
      exitWorker(),
      crashWorker(),
      exhaustHeap(),
      killReturningWorkers(),
      blockEventLoop(),
    ])
      await expect(inject(fault, pool)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
  })
})

describe('targets', () => {
  it('are distinguished by their shape', async () => {
    const child = fork(childFile)
    try {
      const worker = await startWorker()
      expect([worker, [worker], { threads: [worker] }, () => worker].map(isWorkerTarget)).toEqual([
        true,
        true,
        true,
        true,
      ])
      expect([child, [child], { process: child }, () => child, cluster].map(isProcessTarget)).toEqual([
        true,
        true,
        true,
        true,
        true,
      ])
      expect([{}, process, child, [child], 7, undefined].map(isWorkerTarget)).toEqual([
        false,
        false,
        false,
        false,
        false,
        false,
      ])
      expect([{}, process, worker, [worker], 7, undefined].map(isProcessTarget)).toEqual([
        false,
        false,
        false,
        false,
        false,
        false,
      ])
    } finally {
      child.kill('SIGKILL')
    }
  })

  it('leave out processes that have ended or never started', async () => {
    const ended = fork(childFile)
    await once(ended, 'message')
    expect(liveProcesses([ended])).toEqual([ended])
    ended.kill('SIGKILL')
    await once(ended, 'exit')
    const neverStarted = spawn('/no/such/program')
    await once(neverStarted, 'error')
    expect(liveProcesses([ended, neverStarted])).toEqual([])
    expect(liveProcesses(cluster)).toEqual([])
  })
})

describe('a function that returns the threads of tinypool', () => {
  it('yields their workers: a fault that has ended leaves no listener and throws nothing', async () => {
    const pool = new Tinypool({
      filename: taskFile,
      minThreads: 1,
      maxThreads: 1,
      useAtomics: true,
      terminateTimeout: 1_000,
    })
    try {
      await pool.run({ id: 0 })
      const [worker] = (pool.threads as unknown as readonly { readonly thread: EventEmitter }[]).map(
        ({ thread }) => thread,
      )
      const before = worker?.listenerCount('exit')
      // An idle thread of it sleeps and hears nothing. The lease ends before the first look that would refuse it.
      const clock = manualClock()
      const arming = inject(crashWorker(), () => pool.threads as never, { clock, leaseMs: 100 })
      const refused = expect(arming).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
      await clock.advance(100)
      await refused
      expect(worker?.listenerCount('exit')).toBe(before)
    } finally {
      await pool.destroy()
    }
  })

  it('skips values that are not workers', () => {
    expect(liveWorkers(() => [{ threadId: 1 }, 'x', undefined] as never)).toEqual([])
    expect(liveWorkers(() => 5 as never)).toEqual([])
  })
})
