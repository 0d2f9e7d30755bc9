import workerThreads from 'node:worker_threads'
import { target, type Targets } from '@chaos/core'
import {
  blockEventLoop,
  blockMainThread,
  crashWorker,
  delayStart,
  exhaustHeap,
  exitWorker,
  killMidTask,
  killReturningWorkers,
  refuseStart,
  stressCpu,
  stressMemory,
  terminateWorker,
  trackWorkers,
} from './index.js'

/**
 * The targets that `@chaos/control/register` offers in an application without chaos code: the workers that its main thread
 * creates from now on, `node:worker_threads`, and the process itself.
 */
export const targets = (): Targets => ({
  workers: target(trackWorkers(), []),
  'worker-threads': target(workerThreads, []),
  process: target(process, []),
})

/** The faults that `@chaos/control/register` offers on every registered target that accepts them. */
export const faults = [
  blockEventLoop,
  blockMainThread,
  crashWorker,
  delayStart,
  exhaustHeap,
  exitWorker,
  killMidTask,
  killReturningWorkers,
  refuseStart,
  stressCpu,
  stressMemory,
  terminateWorker,
] as const
