import { TIMERS } from './timers.js'

const BLOCKS = "globalThis[Symbol.for('@chaos/worker.blocks')]"

/**
 * Code that blocks the event loop it is evaluated in, in a turn of its own, until so many ms from now. Evaluated again, it prolongs the block.
 * The block looks at a monotonic clock by itself: nobody need live to end it.
 */
export const blockFor = (id: number, blockMs: number): string => `(() => {
  const { setImmediate } = ${TIMERS}
  const blocks = (${BLOCKS} ??= new Map())
  const known = blocks.get(${id})
  const until = performance.now() + ${blockMs}
  if (known) { known.until = until; return }
  const block = { until }
  blocks.set(${id}, block)
  setImmediate(() => {
    while (performance.now() < block.until);
    blocks.delete(${id})
    if (blocks.size === 0) delete ${BLOCKS}
  })
})()`

/** Code that ends such a block at once. Evaluating it interrupts the block. */
export const unblock = (id: number): string => `(() => {
  const block = ${BLOCKS}?.get(${id})
  if (block) block.until = 0
})()`
