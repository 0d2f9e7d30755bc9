// How generated text stands among text that people write: between two marks.

/** Replaces what stands between the marks of a block in Markdown. @throws Error where the marks are missing */
export function inMarkdown(path, text, block, content) {
  const [begin, end] = marksOf(block)
  const [before, after] = [text.indexOf(begin), text.indexOf(end)]
  if (before === -1 || after < before)
    throw new Error(`${path} has no place for what sync writes. Put \`${begin}\` and \`${end}\` where it belongs.`)
  return `${text.slice(0, before)}${begin}\n\n${content}\n\n${text.slice(after)}`
}

/** What stands around a block: `<!-- options -->` and `<!-- /options -->` */
export const marksOf = (block) => [`<!-- ${block} -->`, `<!-- /${block} -->`]

/** Replaces what stands in a region of a TypeScript file. @throws Error where the region is missing */
export function inRegion(path, text, region, content) {
  const pattern = new RegExp(`(// #region ${region}\\b.*\\n)[\\s\\S]*?(// #endregion\\b.*\\n)`)
  if (!pattern.test(text))
    throw new Error(
      `${path} has no place for what sync writes. Put \`// #region ${region}\` and \`// #endregion\` where it belongs.`,
    )
  return text.replace(pattern, (_, begin, end) => `${begin}${content}\n${end}`)
}

/** The widest table that is aligned. The rows of a wider one are as long as their cells, so that one long cell makes one long line. */
const MAX_WIDTH = 120

/** A Markdown table. */
export function table(headers, rows) {
  const cells = [headers, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = headers.map((_, column) => Math.max(3, ...cells.map((row) => row[column].length)))
  const isWide = widths.reduce((sum, width) => sum + width + 3, 1) > MAX_WIDTH
  const rule = headers.map((_, column) => '-'.repeat(isWide ? 3 : widths[column]))
  const [head, ...body] = cells
  const lines = [head, rule, ...body].map(
    (row) => `| ${row.map((cell, column) => (isWide ? cell : cell.padEnd(widths[column]))).join(' | ')} |`,
  )
  return `${isWide ? '<!-- prettier-ignore -->\n' : ''}${lines.join('\n')}`
}

/** Title and first sentence of a Markdown page, without its links. */
export function summaryOf(path, text) {
  const title = /^# (.+)$/m.exec(text)?.[1]
  const paragraph = text
    .replace(/^# .+\n/, '')
    .split(/\n{2,}/)
    .map((part) => part.trim().replace(/^\*\*\w+\.\*\* /, ''))
    .find((part) => /^[\w`[“"@]/.test(part) && !part.startsWith('```'))
  if (title === undefined || paragraph === undefined)
    throw new Error(`Expected ${path} to begin with a title and a paragraph, whose first sentence the indexes show.`)
  const plain = paragraph.replace(/\s+/g, ' ').replace(/\[((?:`[^`]*`|[^\]])+)\]\([^)]*\)/g, '$1')
  return { title, sentence: /^.*?[.!?:](?= |$)/.exec(plain)?.[0].replace(/:$/, '.') ?? plain }
}

/** `a`, `a and b`, `a, b and c` */
export const listed = (words, last = 'and') =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
