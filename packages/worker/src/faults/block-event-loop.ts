import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type InjectionContext, type OptionsOf } from '@chaos/core/authoring'
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
 * worker runs again. An operation is one period of one worker, named `block`. If the target is a function or a pool,
 * replacements are blocked as well.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if options contradict each other, `CHAOS_NO_LIVE_WORKER` if the target has no
 *   matching live worker when the fault is injected.
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
    const operation = context.operation('block')
    const takesAll =
      options.select === 'all' &&
      options.name === undefined &&
      options.threadId === undefined &&
      options.where === undefined
    const blockMs = options.periodMs * (options.duty < 1 ? options.duty : PERIODS_AHEAD)
    const blocker = blockerOf(context, blockMs)
    repeat(context, options.periodMs, () => {
      for (const worker of liveWorkers(target)) {
        if (!isUp(worker) || (!takesAll && !chosen.has(worker))) continue
        if (operation.shouldInject([worker])) {
          blocker.block(worker)
          lastFor(context, options.periodMs)
        } else if (options.duty === 1) blocker.release(worker)
      }
    })
  },
})

interface Blocker {
  block(worker: WorkerLike): void
  release(worker: WorkerLike): void
}

function blockerOf(context: InjectionContext, blockMs: number): Blocker {
  const inspector = inspectorOf(context)
  const blocks = new Map<WorkerLike, WorkerBlock>()
  const endBlocksOf = async (which: (worker: WorkerLike) => boolean): Promise<void> => {
    const ending = [...blocks].filter(([worker]) => which(worker))
    for (const [worker] of ending) blocks.delete(worker)
    await Promise.all(ending.map(([, block]) => block.end()))
  }
  context.defer(() => endBlocksOf(() => true))
  return {
    block(worker) {
      let block = blocks.get(worker)
      if (block === undefined) {
        void endBlocksOf(isGone)
        // A dead worker needs no release.
        block = new WorkerBlock(blockMs, async (expression) =>
          isGone(worker) ? undefined : inspector.evaluate(worker, expression),
        )
        blocks.set(worker, block)
      }
      block.renew()
    },
    release: (worker) => blocks.get(worker)?.release(),
  }
}

const isGone = ({ threadId }: WorkerLike): boolean => threadId === -1
