/** Rows as a table of aligned columns, the first row its heads. Long cells go over several lines. */
export function table(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.split('\n')))
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...cells.flatMap((row) => row[column]?.map((line) => line.length) ?? [0])),
  )
  const rule = widths.map((width) => '─'.repeat(width)).join('─┼─')
  const lines = cells.map((row) => {
    const height = Math.max(...row.map((cell) => cell.length))
    return Array.from({ length: height }, (_, line) =>
      widths
        .map((width, column) => (row[column]?.[line] ?? '').padEnd(width))
        .join(' │ ')
        .trimEnd(),
    ).join('\n')
  })
  return [lines[0] ?? '', rule, lines.slice(1).join('\n')].join('\n')
}
