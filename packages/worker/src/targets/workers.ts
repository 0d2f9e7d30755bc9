/** What the faults need of a worker: Node's `Worker`, by shape, so that one of another realm or a subclass serves as well. */
export interface WorkerLike {
  /** -1 once it has exited. */
  readonly threadId: number
  terminate(): Promise<unknown>
  postMessage(value: unknown): void
  once(event: 'online', listener: () => void): unknown
  once(event: 'exit', listener: (exitCode: number) => void): unknown
  off(event: 'online', listener: () => void): unknown
  off(event: 'exit', listener: (exitCode: number) => void): unknown
}

/** A pool that shows its threads: piscina does, and tinypool, whose threads wrap their `Worker`. */
export interface PoolLike {
  readonly threads: Iterable<object>
}

type Workers = WorkerLike | PoolLike | Iterable<WorkerLike>

/** One worker, several, a pool, or a function that returns the current ones. With a pool or a function replacements are found. */
export type WorkerTarget = Workers | (() => Workers | undefined)

/** What a target of worker faults must be, in words. */
export const WORKER_TARGET = 'a Worker, several, a pool that shows its `threads`, or a function that returns the current ones'

/** Whether a value is shaped like a worker. */
function isWorkerLike(value: unknown): value is WorkerLike {
  return typeof value === 'object' && value !== null && 'threadId' in value && typeof value.threadId === 'number' && 'terminate' in value && 'postMessage' in value && 'once' in value
}

/** Whether a value names workers. What a function returns is looked at when the fault is injected. */
export function isWorkerTarget(value: unknown): value is WorkerTarget {
  if (typeof value === 'function' || isWorkerLike(value) || isPool(value)) return true
  return isIterable(value) && [...value].every(isWorkerLike)
}

/** The workers of a target that are alive now, longest-running first (thread ids only grow). */
export function liveWorkers(target: WorkerTarget): WorkerLike[] {
  const named = typeof target === 'function' ? target() : target
  const workers = named === undefined ? [] : isWorkerLike(named) ? [named] : isPool(named) ? [...named.threads].map(unwrapped) : [...named]
  return workers.filter(({ threadId }) => threadId !== -1).sort((a, b) => a.threadId - b.threadId)
}

const isIterable = (value: unknown): value is Iterable<unknown> => typeof value === 'object' && value !== null && Symbol.iterator in value
const isPool = (value: unknown): value is PoolLike => typeof value === 'object' && value !== null && 'threads' in value && isIterable(value.threads)

/** Tinypool's own objects keep the thread id of the dead; the `Worker` inside them tells the truth. */
function unwrapped(thread: object): WorkerLike {
  return ('thread' in thread && isWorkerLike(thread.thread) ? thread.thread : thread) as WorkerLike
}
