import { MAX_TIMER_MS } from '../basics/clock.js'
import type { InjectionContext } from '../fault/fault.js'
import { option } from '../fault/option.js'
import { seededStream } from './seeded-stream.js'

/** How delays spread around `delayMs`. */
const DISTRIBUTIONS = ['uniform', 'normal', 'exponential', 'pareto'] as const

/** What a delay is drawn from. */
export interface DelayOptions {
  readonly delayMs: number
  readonly jitterMs: number
  readonly distribution: (typeof DISTRIBUTIONS)[number]
}

/**
 * The options of every fault that delays.
 *
 * @param of What is delayed, as the description of `delayMs` says it: `each affected event`.
 */
export const delayOptions = (of: string) => ({
  delayMs: option.durationMs(`Time that ${of} is held back, in ms.`),
  jitterMs: option.optional(option.durationMs('How far the time varies, in ms.'), 0),
  distribution: option.optional(
    option.oneOf(
      DISTRIBUTIONS,
      'uniform: delayMs ± jitterMs; normal: jitterMs is the standard deviation; exponential and pareto: delayMs and a tail of mean jitterMs.',
    ),
    'uniform',
  ),
})

/**
 * Draws one delay, in ms: never negative, and never more than fits a timer.
 *
 * @param draw Seeded chance: the next number from 0 (included) to 1 (excluded). Not called without jitter.
 * @see tc-netem, whose `delay TIME JITTER distribution` this follows.
 */
export function delayOf({ delayMs, jitterMs, distribution }: DelayOptions, draw: () => number): number {
  if (jitterMs === 0) return delayMs
  return Math.min(MAX_TIMER_MS, Math.max(0, delayMs + jitterMs * DEVIATIONS[distribution](draw)))
}

/**
 * Draws the delays of operations from one stream of seeded chance for each name.
 *
 * @returns The next delay of a name, in ms.
 */
export function delaysOf(
  options: DelayOptions,
  context: Pick<InjectionContext, 'rolls'>,
): (name: string | symbol) => number {
  const chance = seededStream(context, 'delay')
  return (name) => delayOf(options, () => chance(name))
}

/** How far from the delay, in jitters. */
const DEVIATIONS: Readonly<Record<DelayOptions['distribution'], (draw: () => number) => number>> = {
  uniform: (draw) => 2 * draw() - 1,
  // Box and Muller's transform; 1 - draw() is never 0.
  normal: (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()),
  exponential: (draw) => -Math.log(1 - draw()),
  // Pareto's distribution of shape 3, moved to begin at 0 (Lomax); its mean is 1/2.
  pareto: (draw) => 2 * ((1 - draw()) ** (-1 / 3) - 1),
}
