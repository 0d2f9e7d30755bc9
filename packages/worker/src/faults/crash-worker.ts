import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { runInWorkers } from '../threads/run-in-worker.js'
import { strikeTiming } from '../threads/strike-timing.js'
import { selectionFits, workerSelection, workerSelectionInProcess } from '../threads/selection.js'
import { isWorkerTarget, WORKER_TARGET, type WorkerTarget } from '../targets/workers.js'

const options = {
  by: option.optional(
    option.oneOf(
      ['exception', 'rejection'],
      'Kind of crash: exception is an uncaught exception, rejection an unhandled rejection.',
    ),
    'exception',
  ),
  message: option.optional(option.text('Message of the error.'), 'Injected crash'),
  ...workerSelection,
  ...strikeTiming,
  ...workerSelectionInProcess,
}

/** Options of {@link crashWorker}. */
export type CrashWorkerOptions = OptionsOf<typeof crashWorker>

/**
 * Crashes live workers with an uncaught error.
 *
 * Models a bug in the worker's own code. The `Worker` emits `error` with that error, then `exit` with code 1. Without an
 * `error` listener the error also ends the parent process, as a real one does. `injectedBy` recognizes the emitted error. A
 * worker that handles uncaught errors may survive; the evidence then says `survived`.
 *
 * The error is thrown in a turn of the worker's own event loop, so a worker that never yields does not crash. An operation
 * is one chosen worker, named `crash`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if options do not fit `select`, `CHAOS_NO_LIVE_WORKER` if no live worker matches.
 * @throws ChaosError `CHAOS_INJECTION_ENDED` if the worker did not yield within the lease. It is then left alone.
 */
export const crashWorker = defineFault({
  name: 'worker/crash-worker',
  kind: 'instant',
  summary: 'Crashes live workers with an uncaught exception or an unhandled rejection.',
  options,
  target: { expects: WORKER_TARGET, accepts: isWorkerTarget },
  check: selectionFits('worker/crash-worker'),
  inject(target: WorkerTarget, options, context) {
    const error = `new Error(${JSON.stringify(options.message)})`
    const code = options.by === 'exception' ? `throw ${error}` : `void Promise.reject(${error})`
    return runInWorkers({ operation: 'crash', fault: 'worker/crash-worker', code }, target, options, context)
  },
})
