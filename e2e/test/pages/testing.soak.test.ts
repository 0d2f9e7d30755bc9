import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { blocksOf } from '../../src/page-examples.js'
import { binOf, root } from '../../src/repository.js'
import { run } from '../../src/run.js'

const FOLDER = join(root, 'e2e', 'test-results')

/** How a command of a page begins, and how it is run here. */
const RUNNERS = [
  ['npx vitest run ', [binOf('vitest'), 'run', '--root', '.']],
  ['npx jest ', [binOf('jest')]],
  ['node --test ', ['--test', '--test-reporter=spec']],
  ['npx mocha ', [binOf('mocha')]],
  ['npx playwright test ', [binOf('@playwright/test', 'playwright'), 'test']],
] as const

type Start = (typeof RUNNERS)[number][0]

interface Page {
  /** How many commands it shows the output of. */
  readonly outputs: number
  /** How many tests of it must pass and fail in each runner. */
  readonly totals: Partial<Record<Start, RegExp>>
}

const PAGES: Readonly<Record<string, Page>> = {
  'docs/testing.md': {
    outputs: 5,
    totals: {
      'npx vitest run ': /Tests +1 failed \| 5 passed/,
      'npx jest ': /Tests: +1 failed, 1 passed/,
      'node --test ': /^ℹ pass 1\nℹ fail 1$/m,
      'npx mocha ': /1 passing[^]*1 failing/,
      'npx playwright test ': /1 failed[^]*1 passed/,
    },
  },
  'docs/exploring.md': {
    outputs: 1,
    totals: { 'npx vitest run ': /Tests +2 failed/, 'node --test ': /^ℹ pass 0\nℹ fail 1$/m },
  },
}
const CASES = Object.entries(PAGES).flatMap(([page, { totals }]) =>
  RUNNERS.flatMap(([start, program]) => {
    const expected = totals[start]
    return expected === undefined ? [] : [{ page, start, program, expected }]
  }),
)

/** The commands of a page, each with what the page shows of its output. */
function commandsOf(page: string) {
  const blocks = blocksOf(page)
  return blocks.flatMap(({ language, code }, index) => {
    if (language !== 'sh' || code.startsWith('npm install')) return []
    const next = blocks[index + 1]
    return [{ command: code.trim(), shown: next?.language === 'text' ? next.code : undefined }]
  })
}

/** The time of a search differs from run to run. */
const masked = (text: string): string => text.replace(/ \d+(\.\d+)? m?s; /g, ' … s; ')

/** A folder within e2e, so that the tests of the page find what it depends on. */
function folderOfTests(page: string): string {
  mkdirSync(FOLDER, { recursive: true })
  const folder = mkdtempSync(join(FOLDER, 'page-testing-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'tsconfig.json'), '{ "compilerOptions": { "experimentalDecorators": true } }')
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  // Without a configuration of its own, Vitest would find that of this suite.
  writeFileSync(
    join(folder, 'vitest.config.mjs'),
    'export default { test: { isolate: false, fileParallelism: false } }',
  )
  for (const { file, code } of blocksOf(page)) if (file !== undefined) writeFileSync(join(folder, file), code)
  return folder
}

describe('the tests of the pages', () => {
  it.each(Object.entries(PAGES))('are all run here: %s', (page, { outputs, totals }) => {
    const commands = commandsOf(page)
    const starts = Object.keys(totals)
    expect(commands.filter(({ command }) => !starts.some((start) => command.startsWith(start)))).toEqual([])
    expect(commands.filter(({ shown }) => shown !== undefined)).toHaveLength(outputs)
  })

  it.each(CASES)('print what $page shows: $start', async ({ page, start, program, expected }) => {
    const folder = folderOfTests(page)
    const own = commandsOf(page).filter(({ command }) => command.startsWith(start))
    // One process for all files of a runner: most of the time is its start.
    const words = own.flatMap(({ command }) => command.slice(start.length).split(' '))
    const { stdout, stderr } = await run(process.execPath, [...program, ...words], {
      cwd: folder,
      env: { ...process.env, NODE_ENV: 'test', CHAOS_SEED: '7' },
    })
    const output = (stdout + stderr).replaceAll(folder, '/project')
    expect(output).toMatch(expected)
    for (const { shown } of own) {
      if (shown !== undefined) expect(masked(output)).toContain(masked(shown))
    }
  })
})
