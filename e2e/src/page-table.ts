import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { root } from './repository.js'

/**
 * Compares a table that a test measured with the one that a page shows between `<!-- mark -->` and `<!-- /mark -->`. With
 * `PAGES=write` set, the page gets the measured table.
 *
 * @param page Its path, from the root of the repository.
 * @param rows The cells of each row; the first row is the heading.
 */
export function expectTable(page: string, mark: string, rows: readonly (readonly string[])[]): void {
  const path = join(root, page)
  const text = readFileSync(path, 'utf8')
  const [begin, end] = [`<!-- ${mark} -->\n`, `<!-- /${mark} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  expect(Math.min(from, to), `${page} has no place for the table ${mark}`).toBeGreaterThan(-1)
  const measured = `\n<!-- prettier-ignore -->\n${tableOf(rows)}\n\n`
  const isWriting = process.env['PAGES'] === 'write'
  if (isWriting) writeFileSync(path, text.slice(0, from + begin.length) + measured + text.slice(to))
  else
    expect(text.slice(from + begin.length, to), `${page}: with PAGES=write set, the page gets the new table`).toBe(
      measured,
    )
}

function tableOf([heading = [], ...rows]: readonly (readonly string[])[]): string {
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
