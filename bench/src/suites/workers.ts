import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { blockEventLoop } from '@chaos/worker'
import type { Case, Suite } from '../runner/case.js'
import { quantile } from '../runner/statistics.js'

/** Timers of one reading. */
const SAMPLES = 200
const ECHO =
  "const { parentPort: port } = require('node:worker_threads'); port.on('message', (message) => port.postMessage(message)); port.postMessage('up')"

async function withWorker<Result>(work: (worker: Worker) => Promise<Result>): Promise<Result> {
  const worker = new Worker(ECHO, { eval: true })
  await once(worker, 'message')
  try {
    return await work(worker)
  } finally {
    await worker.terminate()
  }
}

/** How late timers of 1 ms of this thread are, one after the other, in ms. */
async function latenesses(): Promise<number[]> {
  const values: number[] = []
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const from = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 1))
    values.push(performance.now() - from - 1)
  }
  return values
}

/** Blocks a worker, for as long as something is done beside it. */
async function whileBlocked<Result>(worker: Worker, work: () => Promise<Result>): Promise<Result> {
  const block = await inject(blockEventLoop({ periodMs: 20 }), worker)
  while (block.affected === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  try {
    return await work()
  } finally {
    await block.rollback()
  }
}

/** From taking the block back to the worker's answer, in ms. */
async function release(worker: Worker): Promise<number> {
  const answered = once(worker, 'message')
  let from = 0
  await whileBlocked(worker, () => {
    worker.postMessage('there?')
    from = performance.now()
    return Promise.resolve()
  })
  await answered
  return performance.now() - from
}

const readings = (name: string, measureOnce: (worker: Worker) => Promise<number>): Case => ({
  name,
  unit: 'ms',
  measure: (rounds) =>
    withWorker(async (worker) => {
      const values: number[] = []
      for (let round = 0; round < rounds; round += 1) values.push(await measureOnce(worker))
      return { values }
    }),
})

const late = async (share: number): Promise<number> => quantile(await latenesses(), share)

export const workersSuite: Suite = {
  name: 'workers',
  title: 'Beside a blocked worker',
  about: `The main thread while the event loop of a worker is blocked: how late its timers of 1 ms are, ${SAMPLES} a reading, beside the same with the worker idle; and how soon the worker answers once the block is taken back.`,
  cases: [
    ...[0.5, 0.99].flatMap((share) => [
      readings(`a timer of the main thread, worker blocked: late at p${share * 100}`, (worker) =>
        whileBlocked(worker, () => late(share)),
      ),
      readings(`a timer of the main thread, worker idle: late at p${share * 100}`, () => late(share)),
    ]),
    readings('a blocked worker, from rollback to its answer', release),
  ],
}
