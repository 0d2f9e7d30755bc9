import { isProcessTarget, liveProcesses, PROCESS_TARGET, type ProcessLike, type ProcessTarget } from './processes.js'
import { isWorkerTarget, liveWorkers, WORKER_TARGET, type WorkerLike, type WorkerTarget } from './workers.js'

/** What can die and come back: threads or processes. */
export type WorkerOrProcessTarget = WorkerTarget | ProcessTarget
export type WorkerOrProcess = WorkerLike | ProcessLike

/** What a target of threads or processes must be, in words. */
export const WORKER_OR_PROCESS_TARGET = `${WORKER_TARGET}; or ${PROCESS_TARGET}`

/** Whether a value names threads or processes. */
export const isWorkerOrProcessTarget = (value: unknown): value is WorkerOrProcessTarget =>
  isWorkerTarget(value) || isProcessTarget(value)

/** The threads or processes of a target that live now. */
export function livingOf(target: WorkerOrProcessTarget): readonly WorkerOrProcess[] {
  const named = typeof target === 'function' ? target() : target
  if (named === undefined) return []
  return isWorkerTarget(named) ? liveWorkers(named) : liveProcesses(named as ProcessTarget)
}

/** Its thread id or process id, as evidence shows it. */
export const idOf = (one: WorkerOrProcess): { readonly threadId: number } | { readonly pid: number | undefined } =>
  'threadId' in one ? { threadId: one.threadId } : { pid: one.pid }
