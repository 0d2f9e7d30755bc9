import type { Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { describe, expect, it, vi } from 'vitest'
import { isAlive, startWorker as start, startWorkers as startAll } from '../../test/support.js'
import { terminateWorker, type TerminateWorkerOptions } from './terminate-worker.js'

const alive = (workers: readonly Worker[]): boolean[] => workers.map(isAlive)

describe('terminateWorker', () => {
  it('terminates a worker, even in an endless loop, and resolves after its exit', async () => {
    const worker = await start('for (;;);')
    const { threadId } = worker
    const exits: number[] = []
    worker.on('exit', (code) => exits.push(code))
    const injection = await inject(terminateWorker(), worker)
    expect(exits).toEqual([1])
    expect(injection.evidence).toEqual([{ threadId, exitCode: 1, tookMs: expect.any(Number) as number }])
  })

  it.each<[TerminateWorkerOptions, boolean[]]>([
    [{}, [false, true, true, true]],
    [{ select: 'all' }, [false, false, false, false]],
    [{ select: 'nth', nth: 3 }, [true, true, false, true]],
    [{ select: 'share', share: 0.3 }, [false, false, true, true]],
    [{ select: 'share', share: 0 }, [true, true, true, true]],
  ])('with %o of four leaves %o alive', async (options, expected) => {
    const workers = (await startAll(4)).sort((a, b) => a.threadId - b.threadId)
    const injection = await inject(terminateWorker(options), () => new Set(workers))
    expect(alive(workers)).toEqual(expected)
    expect(injection.evidence).toHaveLength(expected.filter((isAlive) => !isAlive).length)
  })

  it('chooses among the candidates by rate and limit', async () => {
    const workers = await startAll(4)
    const injection = await inject(terminateWorker({ select: 'all' }), workers, { skip: 1, limit: 2 })
    expect(alive(workers).filter((isAlive) => !isAlive)).toHaveLength(2)
    expect(injection.snapshot()).toMatchObject({ seen: 4, affected: 2, passed: 2 })
  })

  it('finds the replacement of a live set', async () => {
    let current = await start()
    const target = (): Worker => current
    await inject(terminateWorker(), target)
    current = await start()
    await inject(terminateWorker(), target)
    expect(current.threadId).toBe(-1)
  })

  it.each<[string, () => Promise<object>, TerminateWorkerOptions]>([
    ['no worker at all', () => Promise.resolve([]), {}],
    ['a set without a worker', () => Promise.resolve(() => undefined), {}],
    ['fewer than the nth', async () => [await start()], { select: 'nth', nth: 2 }],
    [
      'only dead ones',
      async () => {
        const worker = await start()
        await worker.terminate()
        return worker
      },
      {},
    ],
  ])('refuses %s, and terminates nothing', async (_title, make, options) => {
    const target = await make()
    await expect(inject(terminateWorker(options), target as Worker)).rejects.toMatchObject({
      code: 'CHAOS_NO_LIVE_WORKER',
    })
    if (Array.isArray(target)) expect(alive(target as Worker[])).not.toContain(false)
  })

  it.each<[TerminateWorkerOptions, string]>([
    [{ select: 'nth' }, 'Option "nth" of worker/terminate-worker is required with `select: nth`'],
    [{ select: 'share' }, 'Option "share" of worker/terminate-worker is required with `select: share`'],
    [{ nth: 2 }, 'with `select: nth` only'],
    [{ select: 'share', share: 0.5, nth: 1 }, 'with `select: nth` only'],
  ])('refuses %o where the fault is made', (options, words) => {
    expect(() => terminateWorker(options)).toThrow(words)
  })

  it('ends the wait when its signal aborts, and leaves no listener', async () => {
    const listeners = new Set<unknown>()
    const stuck = {
      threadId: 7,
      terminate: () => new Promise<number>(() => undefined),
      postMessage: () => undefined,
      once: (_event: string, listener: unknown) => listeners.add(listener),
      off: (_event: string, listener: unknown) => listeners.delete(listener),
    }
    const caller = new AbortController()
    const arming = inject(terminateWorker(), stuck, { signal: caller.signal })
    await vi.waitFor(() => expect(listeners.size).toBe(1))
    caller.abort()
    await expect(arming).rejects.toMatchObject({ code: 'CHAOS_INJECTION_ENDED' })
    expect(listeners.size).toBe(0)
  })

  it('counts every kill of a supervised worker, and leaves nothing behind', async () => {
    for (let kill = 0; kill < 30; kill += 1) {
      const worker = await start()
      const { affected, evidence } = await inject(terminateWorker(), () => worker)
      expect([affected, evidence[0]?.['exitCode']]).toEqual([1, 1])
      expect(worker.listenerCount('exit')).toBe(0)
    }
  })
})
