import type { Pruning } from './pruning.js'

/** Prunes a set that contains a set that breaks the test: it is not the smallest. Exact: the smaller one is reported. */
export const supersets: Pruning = {
  name: 'supersets',
  isExact: true,
  prunes: (set, memory) => memory.failing.some((failing) => memory.contains(set, failing)),
  expects: () => 'breaks',
}
