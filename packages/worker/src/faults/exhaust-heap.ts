import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { runInWorkers } from '../threads/run-in-worker.js'
import { strikeTiming } from '../threads/strike-timing.js'
import { selectionFits, workerSelection, workerSelectionInProcess } from '../threads/selection.js'
import { isWorkerTarget, liveWorkers, WORKER_TARGET, type WorkerLike, type WorkerTarget } from '../targets/workers.js'

const options = {
  maxHeapMb: option.optional(option.count('The largest heap limit of a worker that may be exhausted, in MB.', 1), 512),
  ...workerSelection,
  ...strikeTiming,
  ...workerSelectionInProcess,
}

/** Options of {@link exhaustHeap}. */
export type ExhaustHeapOptions = OptionsOf<typeof exhaustHeap>

/**
 * Fills the heap of live workers up to their own limit, `resourceLimits.maxOldGenerationSizeMb`.
 *
 * Models a leak: the engine ends the worker, its holder hears the real `ERR_WORKER_OUT_OF_MEMORY`, then `exit` with code 1; the process
 * and its other threads live on. It ends the worker, so it is instant. Workers without a limit of their own get the process's default of
 * some GB: filling that would take the machine along, so it is refused. An operation is a candidate, named `exhaust`.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when a live worker has a larger limit than `maxHeapMb`, or none; `CHAOS_INVALID_OPTION`
 *   when options do not fit `select`; `CHAOS_NO_LIVE_WORKER` when there is none; `CHAOS_INJECTION_ENDED` when the worker had no turn
 *   within the lease
 */
export const exhaustHeap = defineFault({
  name: 'worker/exhaust-heap',
  kind: 'instant',
  summary: 'Fills the heap of live workers up to their own limit, until the engine ends them.',
  options,
  target: { expects: WORKER_TARGET, accepts: isWorkerTarget },
  check: selectionFits('worker/exhaust-heap'),
  inject(target: WorkerTarget, options, context) {
    for (const worker of liveWorkers(target)) assertLimited(worker, options.maxHeapMb)
    return runInWorkers({ operation: 'exhaust', fault: 'worker/exhaust-heap', code: FILL }, target, options, context)
  },
})

/** Arrays of numbers lie on the heap; buffers would not. 1 MB at a time. */
const FILL = 'for (const heap = []; ; ) heap.push(new Array(131_072).fill(0.5))'

function assertLimited(
  worker: WorkerLike & { readonly resourceLimits?: { readonly maxOldGenerationSizeMb?: number } },
  maxHeapMb: number,
): void {
  const limit = worker.resourceLimits?.maxOldGenerationSizeMb
  if (limit !== undefined && limit <= maxHeapMb) return
  throw new ChaosError(
    'CHAOS_TARGET_MISMATCH',
    `Expected workers whose \`resourceLimits.maxOldGenerationSizeMb\` is at most ${maxHeapMb} (\`maxHeapMb\`), got ${limit ?? 'one without a limit'} (thread ${worker.threadId}). Start the worker with such a limit, or raise \`maxHeapMb\`.`,
  )
}
