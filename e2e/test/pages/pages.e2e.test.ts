import { parseExperiment } from '@chaos/experiment'
import { describe, expect, it } from 'vitest'
import { blocksOf, examplesOf, isRewritten, runModule } from '../../src/page-examples.js'

/** Pages whose `js` blocks are whole modules: each runs, and prints what the `text` block behind it shows. */
const PAGES = ['docs/choosing.md', 'docs/coming-from.md', 'docs/probes.md', 'docs/troubleshooting.md']
const EXAMPLES = PAGES.flatMap((page) =>
  examplesOf(page, 'js').map((example) => ({ page, line: example.line, example })),
)
const EXPERIMENTS = [...PAGES, 'docs/getting-started.md'].flatMap((page) =>
  blocksOf(page)
    .filter(({ language, code }) => language === 'yaml' && /^title: /m.test(code))
    .map(({ code, line }) => ({ page, code, line })),
)

describe('the examples of the pages', () => {
  it.concurrent.each(EXAMPLES)('$page line $line prints what it shows', async ({ page, example }) => {
    const { exitCode, stdout, stderr } = await runModule(example.code)
    expect(exitCode, stdout + stderr).toBe(0)
    if (example.output === undefined || isRewritten(page, example, stdout)) return
    expect(stdout).toBe(example.output)
  })
})

describe('the experiments of the pages', () => {
  it.each(EXPERIMENTS)('$page line $line is valid', ({ page, code }) => {
    expect(parseExperiment(code, { filename: page }).method.length).toBeGreaterThan(0)
  })
})
