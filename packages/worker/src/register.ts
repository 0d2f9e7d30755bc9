import workerThreads from 'node:worker_threads'
import { target, type Targets } from '@chaos/core'
import {
  blockEventLoop,
  blockMainThread,
  crashWorker,
  delayStart,
  exhaustHeap,
  exitWorker,
  killReturningWorkers,
  refuseStart,
  stressCpu,
  stressMemory,
  terminateWorker,
  trackWorkers,
} from './index.js'

/**
 * What `@chaos/control/register` offers in an app without chaos code: the workers that its main thread makes from now on, the module that makes them, and
 * the process itself.
 */
export const targets = (): Targets => ({
  workers: target(trackWorkers(), []),
  'worker-threads': target(workerThreads, []),
  process: target(process, []),
})

/** Offered on every registered target that accepts them. */
export const faults = [
  blockEventLoop,
  blockMainThread,
  crashWorker,
  delayStart,
  exhaustHeap,
  exitWorker,
  killReturningWorkers,
  refuseStart,
  stressCpu,
  stressMemory,
  terminateWorker,
] as const
