import { askedOf, isGetter } from '@chaos/core/authoring'

/** The members of Node's `Worker` that the faults use. A worker of another realm or a subclass works as well. */
export interface WorkerLike {
  /** -1 after the worker has exited. */
  readonly threadId: number
  terminate(): Promise<unknown>
  postMessage(value: unknown): void
  once(event: 'online', listener: () => void): unknown
  once(event: 'exit', listener: (exitCode: number) => void): unknown
  off(event: 'online', listener: () => void): unknown
  off(event: 'exit', listener: (exitCode: number) => void): unknown
}

/** A pool that exposes its threads, such as piscina or tinypool. */
export interface PoolLike {
  readonly threads: Iterable<object>
}

type Workers = WorkerLike | PoolLike | Iterable<WorkerLike>

/** One worker, several, a pool, or a function that returns the current ones. A pool or a function also finds replacements. */
export type WorkerTarget = Workers | (() => Workers | undefined)

/** The target of a worker fault, for messages. */
export const WORKER_TARGET =
  'one or several Workers, a pool that exposes its `threads`, or a function that returns the current ones'

/** Whether a value has the shape of a worker. */
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

/** Whether a value is a target of worker faults. The result of a function is only checked when the fault is injected. */
export function isWorkerTarget(value: unknown): value is WorkerTarget {
  if (isGetter(value) || isWorkerLike(value) || isPool(value)) return true
  return (
    isWorkerLike(unwrapped(value)) || (isIterable(value) && [...value].every((one) => isWorkerLike(unwrapped(one))))
  )
}

/** The live workers of a target, oldest first: thread ids only grow. Skips values in the result of a function that are not workers. */
export function liveWorkers(target: WorkerTarget): WorkerLike[] {
  return named(target)
    .filter(isWorkerLike)
    .filter(({ threadId }) => threadId !== -1)
    .sort((a, b) => a.threadId - b.threadId)
}

/** An object that a target names and that is no worker, such as one of the app's own that hides its worker; `undefined` if there is none. */
export function strangerIn(target: WorkerTarget): object | undefined {
  return named(target).find((one): one is object => typeof one === 'object' && one !== null && !isWorkerLike(one))
}

function named(target: WorkerTarget): readonly unknown[] {
  const answer = askedOf(target, 'the current workers')
  const all: readonly unknown[] = isPool(answer) ? [...answer.threads] : isIterable(answer) ? [...answer] : [answer]
  return all.map(unwrapped)
}

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value
/** Whether a value is a pool that exposes its threads. */
export const isPool = (value: unknown): value is PoolLike =>
  typeof value === 'object' && value !== null && 'threads' in value && isIterable(value.threads)

/**
 * Returns the `Worker` inside the object that a pool keeps of it: `thread` of tinypool, whose own object keeps the id of a dead
 * thread and cannot remove listeners; `worker` of workerpool and poolifier.
 */
function unwrapped(one: unknown): unknown {
  if (typeof one !== 'object' || one === null) return one
  if ('thread' in one && isWorkerLike(one.thread)) return one.thread
  return 'worker' in one && isWorkerLike(one.worker) ? one.worker : one
}
