import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { exitOf } from '../threads/exit.js'
import { waitUntilStrike, strikeTiming } from '../threads/strike-timing.js'
import { chooseWorkers, selectionFits, workerSelection, workerSelectionInProcess } from '../threads/selection.js'
import { isWorkerTarget, WORKER_TARGET, type WorkerTarget } from '../targets/workers.js'

const options = { ...workerSelection, ...strikeTiming, ...workerSelectionInProcess }

/** Options of {@link terminateWorker}. */
export type TerminateWorkerOptions = OptionsOf<typeof terminateWorker>

/**
 * Terminates live workers of a target, as `worker.terminate()` does: at once, even in an endless loop, exit code 1, no `error` event.
 *
 * Models a thread that dies: killed by its host, out of luck, gone between two messages. It is done when every chosen worker has
 * emitted `exit`; that exit code is the evidence. Bringing a worker back is the application's business. An operation is a candidate,
 * named `terminate`, so `rate` and `limit` choose among them.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when options do not fit `select`, `CHAOS_NO_LIVE_WORKER` when there is none to terminate
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
          const [[exitCode], struckAt] = await Promise.all([exitOf(worker, context.signal), strike()])
          context.landed({ threadId, exitCode, tookMs: context.clock.now() - struckAt })
        }),
    )
  },
})
