// Written by `npm run sync` from the tree.

import {
  blockEventLoop,
  blockMainThread,
  crashWorker,
  delayStart,
  exhaustHeap,
  exitWorker,
  freezeProcess,
  killReturningWorkers,
  refuseStart,
  signalProcess,
  stressCpu,
  stressMemory,
  terminateWorker,
} from './index.js'

/** Every fault of `@chaos/worker`. */
export const faults = [
  blockEventLoop,
  blockMainThread,
  crashWorker,
  delayStart,
  exhaustHeap,
  exitWorker,
  freezeProcess,
  killReturningWorkers,
  refuseStart,
  signalProcess,
  stressCpu,
  stressMemory,
  terminateWorker,
] as const
