import { printable } from '@chaos/core/authoring'
import { pointId, pointText } from '../search/model.js'
import type { Fate } from '../search/fates.js'
import type { SearchResult } from '../search/search.js'

const MAX_ROWS = 60
const MAX_WIDTH = 70

/** Each point with what became of each kind of fault there, as a table. */
export function mapOf({ fates: all, points }: SearchResult): string {
  const columns = [...new Set(all.map(({ hit }) => nameOf(hit)))]
  const fates = new Map<string, Map<string, Fate>>()
  for (const { hit, fate } of all) {
    const id = pointId(hit.point)
    const row = fates.get(id) ?? new Map<string, Fate>()
    fates.set(id, row.set(nameOf(hit), fate))
  }
  const rows = points
    .slice(0, MAX_ROWS)
    .map(({ point }) => [
      printable(pointText(point), { max: MAX_WIDTH }),
      ...columns.map((name) => fates.get(pointId(point))?.get(name) ?? ''),
    ])
  const more = points.length - rows.length
  return [...aligned([['point', ...columns], ...rows]), ...(more > 0 ? [`… and ${more} more points`] : [])].join('\n')
}

function nameOf({ kind, times }: SearchResult['fates'][number]['hit']): string {
  const name = kind.replace(/^[^/]*\//, '')
  return printable(times === undefined ? name : `${name} from then on`, { max: 60 })
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
