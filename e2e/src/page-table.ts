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
  if (process.env['PAGES'] === 'write') {
    writeTable(page, mark, rows)
    return
  }
  const { text, from, to } = placeOf(page, mark)
  expect(text.slice(from, to), `${page}: with PAGES=write set, the page gets the new table`).toBe(markdownOf(rows))
}

/** Puts a table that differs from run to run into a page, between `<!-- mark -->` and `<!-- /mark -->`. */
export function writeTable(page: string, mark: string, rows: readonly (readonly string[])[]): void {
  const { text, from, to } = placeOf(page, mark)
  writeFileSync(join(root, page), text.slice(0, from) + markdownOf(rows) + text.slice(to))
}

/** The text of a page, and where the table in it begins and ends. */
function placeOf(page: string, mark: string): { readonly text: string; readonly from: number; readonly to: number } {
  const text = readFileSync(join(root, page), 'utf8')
  const begin = `<!-- ${mark} -->\n`
  const [from, to] = [text.indexOf(begin), text.indexOf(`<!-- /${mark} -->`)]
  expect(Math.min(from, to), `${page} has no place for the table ${mark}`).toBeGreaterThan(-1)
  return { text, from: from + begin.length, to }
}

const markdownOf = (rows: readonly (readonly string[])[]): string => `\n<!-- prettier-ignore -->\n${tableOf(rows)}\n\n`

function tableOf([heading = [], ...rows]: readonly (readonly string[])[]): string {
  return [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
