// #region faults: written by `npm run sync`
export { blockEventLoop, type BlockEventLoopOptions } from './faults/block-event-loop.js'
export { blockMainThread, type BlockMainThreadOptions } from './faults/block-main-thread.js'
export { crashWorker, type CrashWorkerOptions } from './faults/crash-worker.js'
export { delayStart, type DelayStartOptions } from './faults/delay-start.js'
export { exhaustHeap, type ExhaustHeapOptions } from './faults/exhaust-heap.js'
export { exitWorker, type ExitWorkerOptions } from './faults/exit-worker.js'
export { freezeProcess, type FreezeProcessOptions } from './faults/freeze-process.js'
export { killMidTask, type KillMidTaskOptions } from './faults/kill-mid-task.js'
export { killReturningWorkers, type KillReturningWorkersOptions } from './faults/kill-returning-workers.js'
export { refuseStart, type RefuseStartOptions } from './faults/refuse-start.js'
export { signalProcess, type SignalProcessOptions } from './faults/signal-process.js'
export { stressCpu, type StressCpuOptions } from './faults/stress-cpu.js'
export { stressMemory, type StressMemoryOptions } from './faults/stress-memory.js'
export { terminateWorker, type TerminateWorkerOptions } from './faults/terminate-worker.js'
// #endregion
export { observeTasks, type ObserveTasksOptions, type TaskObservation, type TaskPool } from './observe/observe-tasks.js'
export {
  observeWorkers,
  type ObserveWorkersOptions,
  type Recovery,
  type WorkerObservation,
  type WorkerReadings,
} from './observe/observe-workers.js'
export type { WorkerOrProcessTarget } from './targets/threads-and-processes.js'
export type { ClusterLike, ClusterWorkerLike, ProcessLike, ProcessTarget } from './targets/processes.js'
export type { WorkerDescription } from './threads/selection.js'
export { trackWorkers, type TrackedWorkers, type TrackWorkersOptions } from './targets/track-workers.js'
export type { TaskAccount } from './observe/task-ledger.js'
export type { WorkerThreads } from './threads/starts.js'
export type { PoolLike, WorkerLike, WorkerTarget } from './targets/workers.js'
