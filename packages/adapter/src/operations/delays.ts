import { MAX_TIMER_MS } from '@chaos/core/authoring'

/** How delays spread around `delayMs`. */
export const distributions = ['uniform', 'normal', 'exponential'] as const

/** What delays are drawn from. */
export interface DelayOptions {
  readonly delayMs: number
  readonly jitterMs: number
  readonly distribution: (typeof distributions)[number]
}

/**
 * Draws the delays of one method.
 *
 * @param roll Seeded chance: for the n-th draw, a number from 0 to 1.
 * @returns The next delay, in ms: never negative, and never more than fits a timer.
 */
export function delays(
  { delayMs, jitterMs, distribution }: DelayOptions,
  roll: (call: number) => number,
): () => number {
  if (jitterMs === 0) return () => delayMs
  let drawn = 0
  const next = (): number => roll((drawn += 1))
  const deviation = {
    uniform: () => 2 * next() - 1,
    // Box and Muller's transform; one minus a roll is never 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    exponential: () => -Math.log(1 - next()),
  }[distribution]
  return () => Math.min(MAX_TIMER_MS, Math.max(0, delayMs + jitterMs * deviation()))
}
