import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { get } from 'node:http'
import { inject } from '@chaos/core'
import { manualClock } from '@chaos/core/testing'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { clusterWorkerFile } from '../../test/task-file.js'
import { freezeProcess } from './freeze-process.js'
import { killReturningWorkers } from './kill-returning-workers.js'
import { signalProcess } from './signal-process.js'
import { observeWorkers } from '../observe/observe-workers.js'

/** Where the cluster listens. The operating system picks the port for the first worker, and others share it for as long as one is there. */
let port: number
let isSupervised = false

const startWorker = async (): Promise<Worker> => {
  const worker = cluster.fork()
  await Promise.all([once(worker, 'message'), once(worker, 'listening')])
  return worker
}
/** Asks the cluster once; answers with the pid of the worker that took it. */
const ask = (): Promise<number> =>
  new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => response.on('data', (pid) => resolve(Number(pid)))).on(
      'error',
      reject,
    )
  })
const living = (): Worker[] => Object.values(cluster.workers ?? {}) as Worker[]

beforeAll(() => {
  cluster.setupPrimary({ exec: clusterWorkerFile, args: ['0'], execArgv: [], silent: true })
  cluster.on('listening', (_worker, address) => ({ port } = address))
  cluster.schedulingPolicy = cluster.SCHED_RR
  // What an application does that keeps its cluster up.
  cluster.on('exit', () => {
    if (isSupervised) cluster.fork()
  })
})
beforeEach(async () => {
  await Promise.all([startWorker(), startWorker()])
  isSupervised = true
})
afterEach(async () => {
  isSupervised = false
  // One whose channel closes after it has died is still listed.
  await Promise.all(
    living()
      .filter((worker) => !worker.isDead())
      .map((worker) => {
        const gone = once(worker, 'exit')
        worker.process.kill('SIGKILL')
        return gone
      }),
  )
})

describe('node:cluster as a target', () => {
  it('loses one worker, which the application replaces by one that serves', async () => {
    const [first, second] = living() as [Worker, Worker]
    const seen = observeWorkers(cluster, { isGood: (message) => message === 'up' })
    const { evidence } = await inject(signalProcess(), cluster)
    expect(evidence).toMatchObject([{ pid: first.process.pid, signal: 'SIGKILL', exitCode: null, endedBy: 'SIGKILL' }])
    await vi.waitFor(() => expect([seen.deaths, seen.restarts, seen.healed]).toEqual([1, 1, true]))
    seen.close()
    const served = new Set([await ask(), await ask(), await ask(), await ask()])
    expect(served.size).toBe(2)
    expect(served.has(first.process.pid ?? 0)).toBe(false)
    expect(served.has(second.process.pid ?? 0)).toBe(true)
  })

  it('freezes a worker: it accepts one connection and holds it, the others serve, and afterwards it answers', async () => {
    const [frozen] = living() as [Worker, Worker]
    const { pid = 0 } = frozen.process
    const injection = await inject(freezeProcess({ pid, periodMs: 5 }), cluster)
    await vi.waitFor(() => expect(injection.affected).toBeGreaterThan(0))
    const answered: number[] = []
    const asked = Array.from({ length: 6 }, async () => {
      answered.push(await ask())
    })
    await vi.waitFor(() => expect(answered).toHaveLength(5))
    expect(answered).not.toContain(pid)
    await injection.rollback()
    await Promise.all(asked)
    expect(answered[5]).toBe(pid)
  })

  it('loses every worker again as soon as it is replaced', async () => {
    // On one clock, on which the watch looks before the fault does: nobody dies unseen.
    const clock = manualClock()
    const seen = observeWorkers(cluster, { clock })
    const injection = await inject(killReturningWorkers(), cluster, { clock, limit: 5 })
    await vi.waitFor(async () => {
      await clock.advance(10)
      expect([seen.deaths, seen.restarts, seen.unanswered]).toEqual([5, 5, 0])
    })
    expect((await injection.done).outcome).toBe('limit-spent')
    expect(new Set(injection.evidence.map(({ pid }) => pid)).size).toBe(5)
    seen.close()
    expect(living()).toHaveLength(2)
  })

  it('has no live worker after all have ended', async () => {
    isSupervised = false
    await inject(signalProcess({ select: 'all' }), cluster)
    await expect(inject(signalProcess(), cluster)).rejects.toMatchObject({ code: 'CHAOS_NO_LIVE_WORKER' })
  })
})
