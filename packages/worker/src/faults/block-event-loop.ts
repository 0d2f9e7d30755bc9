import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type InjectionContext, type OptionsOf } from '@chaos/core/authoring'
import { refuseSleepers } from '../threads/asleep.js'
import { WorkerBlock } from '../threads/block.js'
import { inspectorOf } from '../threads/inspector.js'
import {
  chooseWorkers,
  selectionFits,
  selectOption,
  workerSelection,
  workerSelectionInProcess,
} from '../threads/selection.js'
import { isUp } from '../threads/wait-until-online.js'
import { isWorkerTarget, liveWorkers, WORKER_TARGET, type WorkerLike, type WorkerTarget } from '../targets/workers.js'
import { lastFor } from './last-for.js'

const options = {
  duty: option.optional(option.rate('Share of each period in which the loop is blocked, 0 to 1.'), 1),
  periodMs: option.optional(option.count('Length of one period, in ms: the block and the pause after it.', 1), 100),
  ...workerSelection,
  select: option.optional(selectOption, 'all'),
  ...workerSelectionInProcess,
}

/** Options of {@link blockEventLoop}. */
export type BlockEventLoopOptions = OptionsOf<typeof blockEventLoop>

/** A full block lasts this many periods, so that a late renewal leaves no gap. Without renewal it ends by itself. */
const PERIODS_AHEAD = 3

/**
 * Blocks the event loop of live workers, fully or for a share of the time, while the main thread stays responsive.
 *
 * Models a computation that hogs a thread: a regular expression that backtracks, a huge JSON. The worker spins, so none of
 * its own code runs. Messages to it wait, its timers fire late, and its event-loop utilization rises.
 *
 * The worker ends each block by itself, and each period renews the block. If the process that holds the fault stalls, the
 * worker runs again. An operation is one period of one worker, named `block`. It is decided once the worker has read the
 * period in a turn of its event loop, so a period that is counted is one that blocks. `account.unread` counts the periods
 * that a worker did not read in time, since its loop did not turn. If the target is a function or a pool, replacements are
 * blocked as well.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if options contradict each other, `CHAOS_NO_LIVE_WORKER` if the target has no
 *   matching live worker when the fault is injected, `CHAOS_TARGET_MISMATCH` if all of them sleep in `Atomics.wait`.
 */
export const blockEventLoop = defineFault({
  name: 'worker/block-event-loop',
  kind: 'standing',
  summary: 'Blocks the event loop of live workers, fully or for a share of the time.',
  options,
  target: { expects: WORKER_TARGET, accepts: isWorkerTarget },
  check(options) {
    selectionFits('worker/block-event-loop')(options)
    if (options.select === 'busiest')
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        'worker/block-event-loop does not accept `select: busiest`, since a blocked worker is always the busiest. Use another `select`.',
      )
  },
  async inject(target: WorkerTarget, options, context) {
    const chosen = new Set(await chooseWorkers(target, options, context))
    await refuseSleepers([...chosen], context)
    const takesAll =
      options.select === 'all' &&
      options.name === undefined &&
      options.threadId === undefined &&
      options.where === undefined
    const account = context.account('unread')
    const blockOf = blocksOf(context, options)
    repeat(context, options.periodMs, () => {
      for (const worker of liveWorkers(target)) {
        if (!isUp(worker) || (!takesAll && !chosen.has(worker))) continue
        if (!blockOf(worker).begin()) account.unread += 1
      }
    })
  },
})

/** Returns what makes the block of a worker, once for each. */
function blocksOf(
  context: InjectionContext,
  { periodMs, duty }: { readonly periodMs: number; readonly duty: number },
): (worker: WorkerLike) => WorkerBlock {
  const inspector = inspectorOf(context)
  const operation = context.operation('block')
  const blocks = new Map<WorkerLike, WorkerBlock>()
  const endBlocksOf = async (which: (worker: WorkerLike) => boolean): Promise<void> => {
    const ending = [...blocks].filter(([worker]) => which(worker))
    for (const [worker] of ending) blocks.delete(worker)
    await Promise.all(ending.map(([, block]) => block.end()))
  }
  context.defer(() => endBlocksOf(() => true))
  return (worker) => {
    const known = blocks.get(worker)
    if (known !== undefined) return known
    void endBlocksOf(isGone)
    const made = new WorkerBlock({
      blockMs: periodMs * (duty < 1 ? duty : PERIODS_AHEAD),
      // A dead worker needs no release.
      evaluate: async (expression) => (isGone(worker) ? undefined : inspector.evaluate(worker, expression)),
      isChosen() {
        const isChosen = operation.shouldInject([worker])
        if (isChosen) lastFor(context, periodMs)
        return isChosen
      },
    })
    blocks.set(worker, made)
    return made
  }
}

const isGone = ({ threadId }: WorkerLike): boolean => threadId === -1
