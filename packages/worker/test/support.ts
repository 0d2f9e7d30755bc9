import { once } from 'node:events'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { afterEach, expect, vi } from 'vitest'

const started: Worker[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map((worker) => worker.terminate()))
})

/** Code of a worker that answers each message with the same, and otherwise idles. */
export const ECHO =
  "const { parentPort: port } = require('node:worker_threads'); port.on('message', (message) => port.postMessage(message))"

/** A real worker that runs until it is terminated, at the latest after the test. */
export async function startWorker(
  code = 'setInterval(() => undefined, 1000)',
  options: WorkerOptions = {},
): Promise<Worker> {
  const worker = makeWorker(`require('node:worker_threads').parentPort.postMessage('up');${code}`, options)
  await once(worker, 'message')
  return worker
}

/** The same, without waiting for it. */
export function makeWorker(code = ECHO, options: WorkerOptions = {}): Worker {
  const worker = new Worker(code, { ...options, eval: true })
  started.push(worker)
  return worker
}

export const startWorkers = (count: number): Promise<Worker[]> =>
  Promise.all(Array.from({ length: count }, () => startWorker()))
export const isAlive = ({ threadId }: { readonly threadId: number }): boolean => threadId !== -1

/** Waits until a worker's loop has done nothing but work over some ms. */
export const seenBlocked = (worker: Worker): Promise<void> =>
  vi.waitFor(
    async () => {
      const before = worker.performance.eventLoopUtilization()
      await new Promise((resolve) => setTimeout(resolve, 30))
      expect(worker.performance.eventLoopUtilization(before).utilization).toBeGreaterThan(0.95)
    },
    { interval: 1 },
  )
