import type { Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { expect, it, vi } from 'vitest'
import { makeWorker } from '../../test/support.js'
import { terminateWorker } from '../faults/terminate-worker.js'
import { observeWorkers } from './observe-workers.js'

const SPEAKS = "require('node:worker_threads').parentPort.postMessage('starting'); setInterval(() => require('node:worker_threads').parentPort.postMessage('working'), 5)"

/** A supervisor that watches its first worker only: a common mistake. */
function superviseOnce(start: () => Worker, again: boolean): () => Worker {
  let current = start()
  const watch = (worker: Worker): void => {
    worker.once('exit', () => {
      current = start()
      if (again) watch(current)
    })
  }
  watch(current)
  return () => current
}

it('tells when a worker died, was replaced, and spoke a good word', async () => {
  const target = superviseOnce(() => makeWorker(SPEAKS), true)
  const seen = observeWorkers(target, { isGood: (message) => message === 'working', lookEveryMs: 1 })
  expect([seen.deaths, seen.healed]).toEqual([0, true])
  for (let death = 1; death <= 2; death += 1) {
    await inject(terminateWorker(), target)
    await vi.waitFor(() => expect([seen.deaths, seen.restarts, seen.healed]).toEqual([death, death, true]))
  }
  for (const { diedAt, replacedAt = 0, goodAt = 0 } of seen.recoveries) expect([replacedAt >= diedAt, goodAt >= replacedAt]).toEqual([true, true])
  seen.close()
  expect(target().listenerCount('message')).toBe(0)
})

it('catches a replacement that is not watched: its death stays without an answer', async () => {
  const target = superviseOnce(() => makeWorker(SPEAKS), false)
  const seen = observeWorkers(target, { lookEveryMs: 1 })
  await inject(terminateWorker(), target)
  await vi.waitFor(() => expect(seen.healed && seen.restarts === 1).toBe(true))
  await inject(terminateWorker(), target)
  await vi.waitFor(() => expect(seen.deaths).toBe(2))
  expect([seen.restarts, seen.healed]).toEqual([1, false])
  seen.close()
})
