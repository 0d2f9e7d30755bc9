import { describe, expect, it } from 'vitest'
import { examplesOf, isRewritten, runModule } from '../../src/page-examples.js'

/** Pages whose `js` blocks are whole modules: each runs, and prints what the `text` block behind it shows. */
const PAGES = ['docs/probes.md'].flatMap((page) => examplesOf(page, 'js').map((example) => [page, example] as const))

describe('the examples of the pages', () => {
  it.concurrent.each(PAGES.map(([page, example]) => ({ page, line: example.line, example })))(
    '$page line $line prints what it shows',
    async ({ page, example }) => {
      const { exitCode, stdout, stderr } = await runModule(example.code)
      expect(exitCode, stdout + stderr).toBe(0)
      if (example.output === undefined || isRewritten(page, example, stdout)) return
      expect(stdout).toBe(example.output)
    },
  )
})
