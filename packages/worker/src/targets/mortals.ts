import { isProcessTarget, liveProcesses, PROCESS_TARGET, type ProcessLike, type ProcessTarget } from './processes.js'
import { isWorkerTarget, liveWorkers, WORKER_TARGET, type WorkerLike, type WorkerTarget } from './workers.js'

/** What can die and come back: threads or processes. */
export type MortalTarget = WorkerTarget | ProcessTarget
export type Mortal = WorkerLike | ProcessLike

/** What a target of threads or processes must be, in words. */
export const MORTAL_TARGET = `${WORKER_TARGET}; or ${PROCESS_TARGET}`

/** Whether a value names threads or processes. */
export const isMortalTarget = (value: unknown): value is MortalTarget => isWorkerTarget(value) || isProcessTarget(value)

/** The threads or processes of a target that live now. */
export function livingOf(target: MortalTarget): readonly Mortal[] {
  const named = typeof target === 'function' ? target() : target
  if (named === undefined) return []
  return isWorkerTarget(named) ? liveWorkers(named) : liveProcesses(named as ProcessTarget)
}

/** Its thread id or process id, as evidence shows it. */
export const idOf = (one: Mortal): { readonly threadId: number } | { readonly pid: number | undefined } =>
  'threadId' in one ? { threadId: one.threadId } : { pid: one.pid }
