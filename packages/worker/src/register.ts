import workerThreads from 'node:worker_threads'
import { target, type Targets } from '@chaos/core'
import {
  blockEventLoop,
  blockMainThread,
  corruptMessages,
  crashWorker,
  delayMessages,
  delayStart,
  dropMessages,
  duplicateMessages,
  exhaustHeap,
  exitWorker,
  failCloning,
  killReturningWorkers,
  refuseStart,
  reorderMessages,
  stressCpu,
  stressMemory,
  terminateWorker,
  trackWorkers,
} from './index.js'

/**
 * What `@chaos/control/register` offers in an app without chaos code: the workers that its main thread makes from now on and their messages, the making of
 * them, and the process itself.
 */
export const targets = (): Targets => ({
  workers: target(trackWorkers(), [
    blockEventLoop,
    corruptMessages,
    crashWorker,
    delayMessages,
    dropMessages,
    duplicateMessages,
    exhaustHeap,
    exitWorker,
    failCloning,
    killReturningWorkers,
    reorderMessages,
    terminateWorker,
  ]),
  'worker-threads': target(workerThreads, [delayStart, refuseStart]),
  process: target(process, [blockMainThread, stressCpu, stressMemory]),
})
