// Blocks workers by several faults at once and terminates them meanwhile, again and again: says `alive` at the end.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { inject } from '@chaos/core'
import { blockEventLoop } from '@chaos/worker'

const ROUNDS = process.env.CHAOS_SOAK === undefined ? 3 : 30
for (let round = 0; round < ROUNDS; round += 1) {
  const workers = Array.from(
    { length: 4 },
    () =>
      new Worker("setInterval(() => undefined, 1000); require('node:worker_threads').parentPort.postMessage('up')", {
        eval: true,
      }),
  )
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const faults = await Promise.all(Array.from({ length: 4 }, () => inject(blockEventLoop({ periodMs: 1 }), workers)))
  await new Promise((resolve) => setTimeout(resolve, 10))
  await Promise.all(workers.map((worker) => worker.terminate()))
  await Promise.all(faults.map((fault) => fault.rollback()))
}
console.log('alive')
