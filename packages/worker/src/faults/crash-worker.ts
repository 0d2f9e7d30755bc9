import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { runInWorkers } from '../threads/run-in-worker.js'
import { strikeTiming } from '../threads/strike-timing.js'
import { selectionFits, workerSelection, workerSelectionInProcess } from '../threads/selection.js'
import { isWorkerTarget, WORKER_TARGET, type WorkerTarget } from '../targets/workers.js'

const options = {
  by: option.optional(
    option.oneOf(['exception', 'rejection'], 'exception: an uncaught exception; rejection: an unhandled rejection.'),
    'exception',
  ),
  message: option.optional(option.text("The error's message."), 'Injected crash'),
  ...workerSelection,
  ...strikeTiming,
  ...workerSelectionInProcess,
}

/** Options of {@link crashWorker}. */
export type CrashWorkerOptions = OptionsOf<typeof crashWorker>

/**
 * Crashes live workers by an error that nobody inside them catches.
 *
 * Models a bug in the worker's own code. Its holder hears `error` with that error, then `exit` with code 1; without an `error` listener
 * the error ends the holder's process too, as it does in earnest. `injectedBy` knows the error that is heard. A worker that handles
 * uncaught errors itself may live on: the evidence then says `survived`. It happens in a turn of the worker's own loop, so a worker that
 * never yields does not crash. An operation is a candidate, named `crash`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when options do not fit `select`, `CHAOS_NO_LIVE_WORKER` when there is none,
 *   `CHAOS_INJECTION_ENDED` when the worker had no turn within the lease; it is left alone then
 */
export const crashWorker = defineFault({
  name: 'worker/crash-worker',
  kind: 'instant',
  summary: 'Crashes live workers by an uncaught exception or an unhandled rejection.',
  options,
  target: { expects: WORKER_TARGET, accepts: isWorkerTarget },
  check: selectionFits('worker/crash-worker'),
  inject(target: WorkerTarget, options, context) {
    const error = `new Error(${JSON.stringify(options.message)})`
    const code = options.by === 'exception' ? `throw ${error}` : `void Promise.reject(${error})`
    return runInWorkers({ operation: 'crash', fault: 'worker/crash-worker', code }, target, options, context)
  },
})
