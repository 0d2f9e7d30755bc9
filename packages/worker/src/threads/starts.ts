import { syncBuiltinESMExports } from 'node:module'
import type { Worker } from 'node:worker_threads'
import type { AnyFunction, InjectionContext } from '@chaos/core/authoring'

/** The module `node:worker_threads`. As a target it stands for every `Worker` that the process creates from now on, through `require` or `import`. */
export interface WorkerThreads {
  readonly Worker: typeof Worker
}

/** The target of faults on starting workers, for messages. */
export const WORKER_THREADS = 'the default export of node:worker_threads'

/** Whether a value is the default export of `node:worker_threads`. A namespace import cannot be patched. */
export const isWorkerThreads = (value: unknown): value is WorkerThreads =>
  typeof value === 'object' &&
  value !== null &&
  'Worker' in value &&
  typeof value.Worker === 'function' &&
  'parentPort' in value &&
  Object.getOwnPropertyDescriptor(value, 'Worker')?.configurable === true

export type Construct = (args: readonly unknown[]) => Worker

/** Replaces the constructor `Worker`. Subclasses and `instanceof` keep working, during the fault and after it. */
export function interceptStarts(
  workerThreads: WorkerThreads,
  { patch, defer }: InjectionContext,
  onStart: (args: readonly unknown[], construct: Construct) => Worker,
): void {
  // Registered first, so it runs last, after the module is restored.
  defer(syncBuiltinESMExports)
  patch(workerThreads, 'Worker', (below) => {
    function Worker(...args: unknown[]): Worker {
      const made = new.target as AnyFunction | undefined
      // Called without `new`: the real constructor throws its own error.
      if (made === undefined) return Reflect.apply(below.call, undefined, args) as Worker
      return onStart(args, (given) => Reflect.construct(below.call, given, made) as Worker)
    }
    return Worker
  })
  syncBuiltinESMExports()
}
