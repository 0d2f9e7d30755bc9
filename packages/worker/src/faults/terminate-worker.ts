import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { exitOf } from '../threads/exit.js'
import { waitUntilStrike, strikeTiming } from '../threads/strike-timing.js'
import { chooseWorkers, selectionFits, workerSelection, workerSelectionInProcess } from '../threads/selection.js'
import { isWorkerTarget, WORKER_TARGET, type WorkerTarget } from '../targets/workers.js'

const options = { ...workerSelection, ...strikeTiming, ...workerSelectionInProcess }

/** Options of {@link terminateWorker}. */
export type TerminateWorkerOptions = OptionsOf<typeof terminateWorker>

/**
 * Terminates live workers with `worker.terminate()`: at once, even in an endless loop, with exit code 1 and no `error` event.
 *
 * Models a thread that dies without warning, between two messages or in the middle of a task. The fault is done when every
 * chosen worker has emitted `exit`; the exit code is the evidence. The fault does not restart workers: that is the
 * application's job. An operation is one chosen worker, named `terminate`, so `rate` and `limit` narrow the choice.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if options do not fit `select`, `CHAOS_NO_LIVE_WORKER` if no live worker matches,
 *   `CHAOS_INJECTION_ENDED` if a worker did not exit within the lease.
 */
export const terminateWorker = defineFault({
  name: 'worker/terminate-worker',
  kind: 'instant',
  summary: 'Terminates live workers of a target.',
  options,
  target: { expects: WORKER_TARGET, accepts: isWorkerTarget },
  check: selectionFits('worker/terminate-worker'),
  async inject(target: WorkerTarget, options, context) {
    const chosen = await chooseWorkers(target, options, context)
    const operation = context.operation('terminate')
    await Promise.all(
      chosen
        .filter((worker) => operation.shouldInject([worker]))
        .map(async (worker) => {
          const { threadId } = worker
          const strike = async (): Promise<number> => {
            await waitUntilStrike(worker, options, context)
            const struckAt = context.clock.now()
            void worker.terminate()
            return struckAt
          }
          const [[exitCode], struckAt] = await Promise.all([exitOf(worker, context), strike()])
          context.landed({ threadId, exitCode, tookMs: context.clock.now() - struckAt })
        }),
    )
  },
})
