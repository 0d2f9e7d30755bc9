import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { expect, it } from 'vitest'
import { terminateWorker } from './faults/terminate-worker.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A supervisor that keeps so many workers alive, and counts what it brings back. */
function superviseMany(count: number): { readonly workers: () => Worker[]; readonly replaced: () => number; readonly up: () => Promise<unknown>; readonly stop: () => Promise<unknown> } {
  const workers = new Map<Worker, Promise<unknown>>()
  let replaced = 0
  let isStopping = false
  const start = (): void => {
    const worker = new Worker('setInterval(() => undefined, 1000)', { eval: true })
    workers.set(worker, once(worker, 'online'))
    worker.once('exit', () => {
      workers.delete(worker)
      if (isStopping) return
      replaced += 1
      start()
    })
  }
  for (let i = 0; i < count; i += 1) start()
  return {
    workers: () => [...workers.keys()],
    replaced: () => replaced,
    up: () => Promise.all(workers.values()),
    stop: () => {
      isStopping = true
      return Promise.all([...workers.keys()].map((worker) => worker.terminate()))
    },
  }
}

// Starting a thousand threads takes its time: the limit is for what hangs.
it('1,000 kills in a row are all counted and seen replaced, and leave no listener and no memory behind', { timeout: 600_000 }, async () => {
  const pool = superviseMany(4)
  await pool.up()
  const heapMb: number[] = []
  let affected = 0
  for (let kills = 4; kills <= 1_000; kills += 4) {
    const condemned = pool.workers()
    const injection = await inject(terminateWorker({ select: 'all' }), pool.workers)
    affected += injection.affected
    expect(injection.evidence.map(({ exitCode }) => exitCode)).toEqual([1, 1, 1, 1])
    expect(condemned.flatMap((worker) => worker.rawListeners('exit'))).toEqual([])
    await pool.up()
    if (kills !== 200 && kills !== 1_000) continue
    collect()
    await new Promise(setImmediate)
    collect()
    heapMb.push(process.memoryUsage().heapUsed / 2 ** 20)
  }
  expect([affected, pool.replaced(), pool.workers().length]).toEqual([1_000, 1_000, 4])
  // 800 kills more: 5 MB would be 6 kB each.
  expect((heapMb[1] ?? Infinity) - (heapMb[0] ?? 0)).toBeLessThan(5)
  await pool.stop()
  if (process.env['CHAOS_SHOW'] !== undefined) console.log({ heapMb })
})
