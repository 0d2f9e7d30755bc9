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
export const faults: readonly [
  typeof blockEventLoop,
  typeof blockMainThread,
  typeof crashWorker,
  typeof delayStart,
  typeof exhaustHeap,
  typeof exitWorker,
  typeof freezeProcess,
  typeof killReturningWorkers,
  typeof refuseStart,
  typeof signalProcess,
  typeof stressCpu,
  typeof stressMemory,
  typeof terminateWorker,
] = [
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
]
