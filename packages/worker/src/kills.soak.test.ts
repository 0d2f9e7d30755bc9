import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { expect, it, vi } from 'vitest'
import { crashWorker } from './faults/crash-worker.js'
import { exitWorker } from './faults/exit-worker.js'
import { terminateWorker } from './faults/terminate-worker.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A supervisor that keeps so many workers alive, and counts what it brings back. */
function superviseMany(count: number): {
  readonly workers: () => Worker[]
  readonly replaced: () => number
  readonly up: () => Promise<unknown>
  readonly stop: () => Promise<unknown>
} {
  const workers = new Map<Worker, Promise<unknown>>()
  let replaced = 0
  let isStopping = false
  const start = (): void => {
    const worker = new Worker('setInterval(() => undefined, 1000)', { eval: true })
    workers.set(worker, once(worker, 'online'))
    worker.on('error', () => undefined)
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

/** What this process holds: what keeps it alive, by kind, its threads as the system counts them, and listeners on what outlives a worker. */
function held(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  }
  for (const type of (process as unknown as { getActiveResourcesInfo(): string[] }).getActiveResourcesInfo())
    if (type !== 'Timeout' && type !== 'Immediate') counts[type] = (counts[type] ?? 0) + 1
  if (process.platform === 'linux')
    counts['threads'] = Number(/^Threads:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
  return counts
}

/** The ways to die take turns, so that each leaves what it leaves a few hundred times. */
const WAYS = [
  () => terminateWorker({ select: 'all' }),
  () => exitWorker({ select: 'all', exitCode: 1 }),
  () => crashWorker({ select: 'all' }),
]

const KILLS = process.env['CHAOS_SOAK'] === 'quick' ? 120 : 1_000
/** When it looks at what is held for the first time: by then each way has left what it leaves once and for all. */
const FIRST_LOOK = KILLS / 5

// Starting a thousand threads takes its time: the limit is for what hangs.
it(`${KILLS} kills in a row are all counted and seen replaced, and leave no thread, handle, listener or memory behind`, async () => {
  const pool = superviseMany(4)
  await pool.up()
  const heapMb: number[] = []
  const after: Readonly<Record<string, number>>[] = []
  let affected = 0
  for (let kills = 4; kills <= KILLS; kills += 4) {
    const condemned = pool.workers()
    const way = WAYS[(kills / 4) % WAYS.length] as () => ReturnType<typeof terminateWorker>
    const injection = await inject(way(), pool.workers)
    affected += injection.affected
    expect(injection.evidence.map(({ exitCode }) => exitCode)).toEqual([1, 1, 1, 1])
    for (const worker of condemned)
      expect(
        worker
          .eventNames()
          .filter((name) => name !== 'error')
          .map((name) => [name, worker.listenerCount(name)]),
      ).toEqual([])
    await pool.up()
    if (kills !== FIRST_LOOK && kills !== KILLS) continue
    collect()
    await new Promise(setImmediate)
    collect()
    heapMb.push(process.memoryUsage().heapUsed / 2 ** 20)
    // What has died may be a moment from being gone.
    if (kills === KILLS) await vi.waitFor(() => expect(held()).toEqual(after[0]))
    after.push(held())
  }
  expect([affected, pool.replaced(), pool.workers().length]).toEqual([KILLS, KILLS, 4])
  // In the whole soak 800 kills more: 5 MB would be 6 kB each.
  expect((heapMb[1] ?? Infinity) - (heapMb[0] ?? 0)).toBeLessThan(5)
  await pool.stop()
  if (process.env['CHAOS_SHOW'] !== undefined) console.log({ heapMb, after })
})
