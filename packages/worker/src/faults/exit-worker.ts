import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { runInWorkers } from '../threads/run-in-worker.js'
import { strikeTiming } from '../threads/strike-timing.js'
import { selectionFits, workerSelection, workerSelectionInProcess } from '../threads/selection.js'
import { isWorkerTarget, WORKER_TARGET, type WorkerTarget } from '../targets/workers.js'

const options = {
  exitCode: option.optional(option.count('The exit code.'), 1),
  ...workerSelection,
  ...strikeTiming,
  ...workerSelectionInProcess,
}

/** Options of {@link exitWorker}. */
export type ExitWorkerOptions = OptionsOf<typeof exitWorker>

/**
 * Makes live workers call `process.exit` on themselves.
 *
 * Models a thread that gives up: a fatal condition it found by itself, a library that exits. Its `exit` handlers run, its holder hears `exit`
 * with the chosen code and no `error`; with code 0 it looks like work well done. It happens in a turn of the worker's own loop, so a worker
 * that never yields does not exit. An operation is a candidate, named `exit`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when options do not fit `select`, `CHAOS_NO_LIVE_WORKER` when there is none,
 *   `CHAOS_INJECTION_ENDED` when the worker had no turn within the lease; it is left alone then
 */
export const exitWorker = defineFault({
  name: 'worker/exit-worker',
  kind: 'instant',
  summary: 'Makes live workers exit by themselves with a chosen code.',
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
