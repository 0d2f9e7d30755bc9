import { MAX_TIMER_MS, option, type InjectionContext } from '@chaos/core/authoring'

/** How delays spread around `delayMs`. */
export const distributions = ['uniform', 'normal', 'exponential'] as const

/** How the delays of a fault spread; every fault with a `delayMs` that may vary has them. */
export const spreadOptions = {
  jitterMs: option.optional(option.durationMs('How far delays spread, in ms. Default: 0.'), 0),
  distribution: option.optional(
    option.oneOf(
      distributions,
      'uniform: delayMs ± jitterMs; normal: mean delayMs, standard deviation jitterMs; exponential: delayMs plus a tail of mean jitterMs. Default: uniform.',
    ),
    'uniform',
  ),
}

/** What delays are drawn from. */
interface Spread {
  readonly delayMs: number
  readonly jitterMs: number
  readonly distribution: (typeof distributions)[number]
}

/**
 * Draws delays, from one stream of seeded chance for each name.
 *
 * @returns The next delay of a name, in ms: never negative, and never more than fits a timer
 */
export function delaysOf(spread: Spread, context: InjectionContext): (name: string) => number {
  const streams = new Map<string, () => number>()
  return (name) => {
    let next = streams.get(name)
    if (next === undefined) streams.set(name, (next = delays(spread, context.rolls(name))))
    return next()
  }
}

/** Draws delays from one stream of chance. @param roll For the n-th draw, a number from 0 to 1 */
export function delays({ delayMs, jitterMs, distribution }: Spread, roll: (call: number) => number): () => number {
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
