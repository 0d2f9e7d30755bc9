export { terminateWorker, type TerminateWorkerOptions } from './faults/terminate-worker.js'
export type { WorkerLike, WorkerTarget } from './targets/workers.js'
