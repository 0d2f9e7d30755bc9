/** What the faults need of a worker: Node's `Worker`, by shape, so that one of another realm or a subclass serves as well. */
export interface WorkerLike {
  /** -1 once it has exited. */
  readonly threadId: number
  terminate(): Promise<number>
  postMessage(value: unknown): void
  once(event: 'exit', listener: (exitCode: number) => void): unknown
  off(event: 'exit', listener: (exitCode: number) => void): unknown
}

/** One worker, several, or a function that returns the current ones, so that replacements are found. */
export type WorkerTarget = WorkerLike | Iterable<WorkerLike> | (() => WorkerLike | Iterable<WorkerLike> | undefined)

/** Whether a value is shaped like a worker. */
function isWorkerLike(value: unknown): value is WorkerLike {
  return typeof value === 'object' && value !== null && 'threadId' in value && typeof value.threadId === 'number' && 'terminate' in value && 'postMessage' in value && 'once' in value
}

/** Whether a value names workers. What a function returns is looked at when the fault is injected. */
export function isWorkerTarget(value: unknown): value is WorkerTarget {
  if (typeof value === 'function' || isWorkerLike(value)) return true
  return typeof value === 'object' && value !== null && Symbol.iterator in value && [...(value as Iterable<unknown>)].every(isWorkerLike)
}

/** The workers of a target that are alive now, longest-running first (thread ids only grow). */
export function liveWorkers(target: WorkerTarget): WorkerLike[] {
  const named = typeof target === 'function' ? target() : target
  const workers = named === undefined ? [] : isWorkerLike(named) ? [named] : [...named]
  return workers.filter(({ threadId }) => threadId !== -1).sort((a, b) => a.threadId - b.threadId)
}
