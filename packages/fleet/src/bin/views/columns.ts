import { printable } from '@chaos/core/authoring'

/** The widest cell of a table, in characters. */
const MAX_CELL = 60

/**
 * Formats rows as lines with aligned columns. A cell is made printable first, since what it holds may come from a fleet.
 *
 * @param max The widest cell. What is longer is cut.
 */
export function columns(rows: readonly (readonly string[])[], max = MAX_CELL): readonly string[] {
  const cells = rows.map((row) => row.map((cell) => printable(cell, { max })))
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
