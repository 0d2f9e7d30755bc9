import { MAX_TIMER_MS } from '../basics/clock.js'
import type { InjectionContext } from '../fault/fault.js'
import { option } from '../fault/option.js'
import { seededStream } from './seeded-stream.js'

/** The distributions of delays around `delayMs`. */
const DISTRIBUTIONS = ['uniform', 'normal', 'exponential', 'pareto'] as const

/** The values of {@link delayOptions}. */
export interface DelayOptions {
  readonly delayMs: number
  readonly jitterMs: number
  readonly distribution: (typeof DISTRIBUTIONS)[number]
}

/**
 * The options that all faults share which delay operations.
 *
 * @param of The delayed operation, for the description of `delayMs`: `each affected event`.
 */
export const delayOptions = (of: string) => ({
  delayMs: option.durationMs(`Time that ${of} is held back, in ms.`),
  jitterMs: option.optional(option.durationMs('Variation of the delay, in ms.'), 0),
  distribution: option.optional(
    option.oneOf(
      DISTRIBUTIONS,
      'Distribution of the delay. uniform: delayMs ± jitterMs; normal: jitterMs is the standard deviation; exponential and pareto: delayMs plus a tail with mean jitterMs.',
    ),
    'uniform',
  ),
})

/**
 * Draws one delay in ms, from 0 to the longest delay of a Node.js timer.
 *
 * @param draw Returns the next random number, from 0 (included) to 1 (excluded). Not called without jitter.
 * @see tc-netem, whose `delay TIME JITTER distribution` these options follow.
 */
export function delayOf({ delayMs, jitterMs, distribution }: DelayOptions, draw: () => number): number {
  if (jitterMs === 0) return delayMs
  return Math.min(MAX_TIMER_MS, Math.max(0, delayMs + jitterMs * DEVIATIONS[distribution](draw)))
}

/**
 * Draws the delays of operations, from one stream of seeded random numbers per operation name.
 *
 * @returns A function that returns the next delay of a name, in ms.
 */
export function delaysOf(
  options: DelayOptions,
  context: Pick<InjectionContext, 'rolls'>,
): (name: string | symbol) => number {
  const chance = seededStream(context, 'delay')
  return (name) => delayOf(options, () => chance(name))
}

/** The deviations from `delayMs`, in multiples of `jitterMs`. */
const DEVIATIONS: Readonly<Record<DelayOptions['distribution'], (draw: () => number) => number>> = {
  uniform: (draw) => 2 * draw() - 1,
  // The Box–Muller transform. 1 - draw() is never 0.
  normal: (draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()),
  exponential: (draw) => -Math.log(1 - draw()),
  // The Lomax distribution: Pareto with shape 3, shifted to start at 0. Its mean is 1/2.
  pareto: (draw) => 2 * ((1 - draw()) ** (-1 / 3) - 1),
}
