import { pointId, pointText } from '../search/model.js'
import type { Fate } from '../search/fates.js'
import type { SearchResult } from '../search/search.js'

/** Points × kinds: what became of each. */
export interface FateTable {
  readonly kinds: readonly string[]
  readonly rows: readonly { readonly point: string; readonly fates: Readonly<Record<string, Fate>> }[]
}

/** Arranges the fates of a search as a table. A fault that lasts is a kind of its own. */
export function fateTable({ fates, points }: SearchResult): FateTable {
  const nameOf = ({ hit: { kind, times } }: SearchResult['fates'][number]): string =>
    times === undefined ? kind : `${kind} from then on`
  const byPoint = new Map<string, [string, Fate][]>()
  for (const one of fates) {
    const id = pointId(one.hit.point)
    byPoint.set(id, [...(byPoint.get(id) ?? []), [nameOf(one), one.fate]])
  }
  return {
    kinds: [...new Set(fates.map(nameOf))],
    rows: points.map(({ point }) => ({
      point: pointText(point),
      fates: Object.fromEntries(byPoint.get(pointId(point)) ?? []),
    })),
  }
}
