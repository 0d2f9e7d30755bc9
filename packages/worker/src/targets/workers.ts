import { isGetter } from '@chaos/core/authoring'

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
export const WORKER_TARGET =
  'a Worker, several, a pool that shows its `threads`, or a function that returns the current ones'

/** Whether a value is shaped like a worker. */
function isWorkerLike(value: unknown): value is WorkerLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'threadId' in value &&
    typeof value.threadId === 'number' &&
    'terminate' in value &&
    'postMessage' in value &&
    'once' in value &&
    'off' in value
  )
}

/** Whether a value names workers. What a function returns is looked at when the fault is injected. */
export function isWorkerTarget(value: unknown): value is WorkerTarget {
  if (isGetter(value) || isWorkerLike(value) || isPool(value)) return true
  return (
    isWorkerLike(unwrapped(value)) || (isIterable(value) && [...value].every((one) => isWorkerLike(unwrapped(one))))
  )
}

/** The workers of a target that are alive now, longest-running first (thread ids only grow). What a function returns beside workers is left out. */
export function liveWorkers(target: WorkerTarget): WorkerLike[] {
  const named = typeof target === 'function' ? target() : target
  const all: readonly unknown[] = isPool(named) ? [...named.threads] : isIterable(named) ? [...named] : [named]
  return all
    .map(unwrapped)
    .filter(isWorkerLike)
    .filter(({ threadId }) => threadId !== -1)
    .sort((a, b) => a.threadId - b.threadId)
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value
const isPool = (value: unknown): value is PoolLike =>
  typeof value === 'object' && value !== null && 'threads' in value && isIterable(value.threads)

/** Tinypool's own objects keep the thread id of the dead, and take no listener out; the `Worker` inside them does. */
function unwrapped(thread: unknown): unknown {
  return typeof thread === 'object' && thread !== null && 'thread' in thread && isWorkerLike(thread.thread)
    ? thread.thread
    : thread
}
