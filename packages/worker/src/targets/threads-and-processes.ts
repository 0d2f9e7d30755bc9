import { askedOf } from '@chaos/core/authoring'
import { isProcessTarget, liveProcesses, PROCESS_TARGET, type ProcessLike, type ProcessTarget } from './processes.js'
import { isWorkerTarget, liveWorkers, WORKER_TARGET, type WorkerLike, type WorkerTarget } from './workers.js'

/** A target of threads or of processes. */
export type WorkerOrProcessTarget = WorkerTarget | ProcessTarget
export type WorkerOrProcess = WorkerLike | ProcessLike

/** The target of threads or processes, for messages. */
export const WORKER_OR_PROCESS_TARGET = `${WORKER_TARGET}; or ${PROCESS_TARGET}`

/** Whether a value is a target of threads or processes. */
export const isWorkerOrProcessTarget = (value: unknown): value is WorkerOrProcessTarget =>
  isWorkerTarget(value) || isProcessTarget(value)

/** The live threads or running processes of a target. */
export function livingOf(target: WorkerOrProcessTarget): readonly WorkerOrProcess[] {
  const named = askedOf(target, 'the current workers')
  if (named === undefined) return []
  return isWorkerTarget(named) ? liveWorkers(named) : liveProcesses(named as ProcessTarget)
}

/** The thread id or process id, for evidence. */
export const idOf = (one: WorkerOrProcess): { readonly threadId: number } | { readonly pid: number | undefined } =>
  'threadId' in one ? { threadId: one.threadId } : { pid: one.pid }
