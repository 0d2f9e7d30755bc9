import { performance } from 'node:perf_hooks'
import { ChaosError } from '@chaos/core'
import { defineFault, option, repeat, type OptionsOf } from '@chaos/core/authoring'

/** No single block is longer, whatever happens. */
const MAX_BLOCK_MS = 5_000

const options = {
  blockMs: option.count('Length of each block, in ms, at most 5000.', 1),
  everyMs: option.optional(option.count('Time from the end of one block to the next, in ms.', 1), 1_000),
}

/** Options of {@link blockMainThread}. */
export type BlockMainThreadOptions = OptionsOf<typeof blockMainThread>

/**
 * Blocks the event loop of this very process, again and again, each time for at most 5 s.
 *
 * Models synchronous work in the wrong place: everything of the process waits, requests, timers, health checks. Between two blocks the loop
 * has turns, in which the fault can be stopped and its lease ends. An operation is a block, named `block`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `blockMs` is above 5000
 */
export const blockMainThread = defineFault({
  name: 'worker/block-main-thread',
  kind: 'standing',
  summary: 'Blocks the event loop of this process, again and again, each time for at most 5 s.',
  options,
  target: { expects: "this process (Node's own `process`)", accepts: (value) => value === process },
  check({ blockMs }) {
    if (blockMs > MAX_BLOCK_MS)
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`blockMs\` of worker/block-main-thread to be at most ${MAX_BLOCK_MS}, got \`${blockMs}\`. Nothing could stop a longer block.`,
      )
  },
  inject(_process: NodeJS.Process, { blockMs, everyMs }, context) {
    const operation = context.operation('block')
    repeat(context, everyMs, () => {
      if (!operation.shouldInject([])) return
      const until = performance.now() + blockMs
      while (performance.now() < until);
    })
  },
})
