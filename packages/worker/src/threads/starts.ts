import { syncBuiltinESMExports } from 'node:module'
import type { Worker } from 'node:worker_threads'
import type { AnyFunction, InjectionContext } from '@chaos/core/authoring'

/** `node:worker_threads` itself: every `Worker` of the process that is made from now on, through `require` or `import`. */
export interface WorkerThreads {
  readonly Worker: typeof Worker
}

/** What a target of faults on starting workers must be, in words. */
export const WORKER_THREADS = 'node:worker_threads itself (its default export)'

/** Whether a value is the module `node:worker_threads`. A namespace import cannot be changed: its default export is meant. */
export const isWorkerThreads = (value: unknown): value is WorkerThreads =>
  typeof value === 'object' &&
  value !== null &&
  'Worker' in value &&
  typeof value.Worker === 'function' &&
  'parentPort' in value &&
  Object.getOwnPropertyDescriptor(value, 'Worker')?.configurable === true

export type Construct = (args: readonly unknown[]) => Worker

/** Stands in for the constructor of `Worker`. Subclasses and `instanceof` hold, while the fault is in force and afterwards. */
export function interceptStarts(
  workerThreads: WorkerThreads,
  { patch, defer }: InjectionContext,
  onStart: (args: readonly unknown[], construct: Construct) => Worker,
): void {
  // Registered first, it runs last: when the module is what it was.
  defer(syncBuiltinESMExports)
  patch(workerThreads, 'Worker', (below) => {
    function Worker(...args: unknown[]): Worker {
      const made = new.target as AnyFunction | undefined
      // Called without `new`: the real one says what is wrong with that.
      if (made === undefined) return Reflect.apply(below.call, undefined, args) as Worker
      return onStart(args, (given) => Reflect.construct(below.call, given, made) as Worker)
    }
    return Worker
  })
  syncBuiltinESMExports()
}
