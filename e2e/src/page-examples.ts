import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './repository.js'
import { run, type Ran } from './run.js'

/** A fenced code block of a page. */
export interface Block {
  readonly language: string
  /** Its text, with the last line break. */
  readonly code: string
  /** The name of the file, where the first line is a comment that holds nothing else: `// app.mjs`, `# rules.yml`. */
  readonly file: string | undefined
  /** The line of the page on which the code begins, from 1. */
  readonly line: number
}

/** A block that is run, with what it must print: the `text` block right behind it. */
export interface Example extends Block {
  /** `undefined` where no `text` block follows: the example need only end with exit code 0. */
  readonly output: string | undefined
}

/** Every fenced block of a page, in order. @param page Its path, from the root of the repository. */
export function blocksOf(page: string): readonly Block[] {
  return blocksIn(readFileSync(join(root, page), 'utf8')).map(({ after: _after, ...block }) => block)
}

/** The blocks of a language that a page shows, each with its output. */
export function examplesOf(page: string, language: string): readonly Example[] {
  return examplesIn(readFileSync(join(root, page), 'utf8'), language)
}

/** As `examplesOf`, of the text of a page. */
export function examplesIn(markdown: string, language: string): readonly Example[] {
  const blocks = blocksIn(markdown)
  return blocks.flatMap(({ after, ...block }, index) => {
    if (block.language !== language) return []
    const next = blocks[index + 1]
    return [{ ...block, output: next?.language === 'text' && after.trim() === '' ? next.code : undefined }]
  })
}

/**
 * What two runs of an experiment print alike: lines without their numbers, each once, in an order of their own. The progress of
 * a run shows what was seen at each moment, which differs; the verdict below it, which begins with the title once more, does not.
 */
export function shapeOf(output: string): readonly string[] {
  const lines = output
    .trim()
    .split('\n')
    .map((line) =>
      line
        .replace(/, seed \w+$/, '')
        .replace(/[\w.-]+:\d+:[\w-]{8}(?= \()/, 'an instance')
        .replace(/\d+(?:\.\d+)?(?: (?:ms|s)\b)?/g, '#')
        .replace(/ +/g, ' '),
    )
  return [...new Set(lines.slice(lines.lastIndexOf(lines[0] ?? '')))].sort()
}

/** Runs an example as an ES module in a process of its own, which finds the packages that `e2e` depends on. */
export function runModule(code: string): Promise<Ran> {
  return run(process.execPath, ['--input-type=module', '--eval', code], { cwd: join(root, 'e2e'), timeoutMs: 60_000 })
}

/**
 * Puts what an example has printed in the place of the output that a page shows, where `PAGES=write` is set.
 *
 * @returns Whether it did, so that there is nothing to compare.
 */
export function isRewritten(page: string, { language, code, output = '' }: Example, printed: string): boolean {
  if (process.env['PAGES'] !== 'write') return false
  const head = `\`\`\`${language}\n${code}\`\`\`\n\n\`\`\`text\n`
  const path = join(root, page)
  writeFileSync(
    path,
    readFileSync(path, 'utf8').replace(
      `${head}${output}\`\`\``,
      () => `${head}${printed.replace(/^\n+|\s+$/g, '')}\n\`\`\``,
    ),
  )
  return true
}

/** The fenced blocks of a text, each with what follows it up to the next one. */
export function blocksIn(markdown: string): readonly (Block & { readonly after: string })[] {
  const found = [...markdown.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
  return found.map((match, index) => {
    const [whole, language = '', code = ''] = match
    const end = match.index + whole.length
    return {
      language,
      code,
      file: /^(?:\/\/|#) ([\w-]+(?:\.[\w-]+)+)\n/.exec(code)?.[1],
      line: markdown.slice(0, match.index).split('\n').length + 1,
      after: markdown.slice(end, found[index + 1]?.index),
    }
  })
}
