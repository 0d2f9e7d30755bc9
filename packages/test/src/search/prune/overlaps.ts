import type { Pruning } from './pruning.js'

/** Prunes a set that hits a call which a lasting hit of the same set has hit already. Exact: both cannot land. */
export const overlaps: Pruning = {
  name: 'overlaps',
  isExact: true,
  prunes: (set, { hits }) =>
    set.some((lasting) =>
      set.some((other) => {
        const [one, later] = [hits.hit(lasting), hits.hit(other)]
        return (
          one.times === 'always' &&
          lasting !== other &&
          later.point.call > one.point.call &&
          hits.areOfOneChain(one, later)
        )
      }),
    ),
  expects: () => undefined,
}
