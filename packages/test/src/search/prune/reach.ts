import type { Pruning } from './pruning.js'

/**
 * Prunes a set with a hit that is never reached under the others: it does what they do without it. Exact if runs repeat.
 */
export const reach: Pruning = {
  name: 'reach',
  isExact: true,
  prunes: (set, memory) => memory.resolve(set) !== undefined,
  expects: (set, memory) => memory.resolve(set)?.run.outcome.verdict,
}
