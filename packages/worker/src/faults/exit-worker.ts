import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { runInWorkers } from '../threads/run-in-worker.js'
import { strikeTiming } from '../threads/strike-timing.js'
import { selectionFits, workerSelection, workerSelectionInProcess } from '../threads/selection.js'
import { isWorkerTarget, WORKER_TARGET, type WorkerTarget } from '../targets/workers.js'

const options = {
  exitCode: option.optional(option.count('Exit code of the worker.'), 1),
  ...workerSelection,
  ...strikeTiming,
  ...workerSelectionInProcess,
}

/** Options of {@link exitWorker}. */
export type ExitWorkerOptions = OptionsOf<typeof exitWorker>

/**
 * Calls `process.exit` inside live workers.
 *
 * Models a thread that gives up: it detects a fatal condition, or a library exits. The worker's `exit` handlers run. The
 * `Worker` emits `exit` with the chosen code and no `error`. Code 0 looks like a normal end.
 *
 * The call runs in a turn of the worker's own event loop, so a worker that never yields does not exit. An operation is one
 * chosen worker, named `exit`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if options do not fit `select`, `CHAOS_NO_LIVE_WORKER` if no live worker matches.
 * @throws ChaosError `CHAOS_INJECTION_ENDED` if the worker did not yield within the lease. It is then left alone.
 */
export const exitWorker = defineFault({
  name: 'worker/exit-worker',
  kind: 'instant',
  summary: 'Calls `process.exit` inside live workers, with a chosen code.',
  options,
  target: { expects: WORKER_TARGET, accepts: isWorkerTarget },
  check: selectionFits('worker/exit-worker'),
  inject: (target: WorkerTarget, options, context) =>
    runInWorkers(
      { operation: 'exit', fault: 'worker/exit-worker', code: `process.exit(${options.exitCode})` },
      target,
      options,
      context,
    ),
})
