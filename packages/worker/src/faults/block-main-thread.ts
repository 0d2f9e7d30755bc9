import { performance } from 'node:perf_hooks'
import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'

/** The longest block. Nothing can interrupt a block, so it must be short. */
const MAX_BLOCK_MS = 5_000

const options = {
  blockMs: option.count('Length of each block, in ms, at most 5000.', 1),
  everyMs: option.optional(option.count('Time from the start of one block to the start of the next, in ms.', 1), 1_000),
}

/** Options of {@link blockMainThread}. */
export type BlockMainThreadOptions = OptionsOf<typeof blockMainThread>

/**
 * Blocks the event loop of this process repeatedly, each time for at most 5 s.
 *
 * Models synchronous work on the main thread: requests, timers and health checks of the process wait. The loop runs between
 * two blocks, so the fault can be stopped and its lease can end. No block outlasts the lease. An operation is one block, named `block`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `blockMs` is above 5000.
 */
export const blockMainThread = defineFault({
  name: 'worker/block-main-thread',
  kind: 'standing',
  summary: 'Blocks the event loop of this process repeatedly, each time for at most 5 s.',
  options,
  target: { expects: "this process (Node's own `process`)", accepts: (value) => value === process },
  check({ blockMs }) {
    if (blockMs > MAX_BLOCK_MS)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`blockMs\` of worker/block-main-thread to be at most ${MAX_BLOCK_MS}, got \`${blockMs}\`. Use several shorter blocks: a block cannot be interrupted.`,
      )
  },
  inject(_process: NodeJS.Process, { blockMs, everyMs }, context) {
    const operation = context.operation('block')
    repeat(context, everyMs, () => {
      if (!operation.shouldInject([])) return
      const until = performance.now() + Math.min(blockMs, context.leaseLeftMs())
      while (performance.now() < until);
    })
  },
})
