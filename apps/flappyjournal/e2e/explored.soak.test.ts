import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { exploreJournal } from '../test/explored/explore-journal.js'
import { lineOf, page, stories } from '../test/explored/stories.js'

/** The quick form tries as many pairs as it has time for. */
const isQuick = process.env['CHAOS_SOAK'] === 'quick'
const WHOLE_MS = 60 * 60_000
const QUICK_MS = 20_000
const PROGRESS_EVERY = 500

it.each(stories)('survives every pair of faults: $name', { timeout: 2 * WHOLE_MS }, async ({ name, story }) => {
  const exploration = await exploreJournal(name, story, {
    depth: 2,
    budgetMs: isQuick ? QUICK_MS : WHOLE_MS,
    onProgress({ runs, size, waiting, findings }) {
      if (runs % PROGRESS_EVERY === 0)
        console.log(`${name}: ${runs} runs; ${waiting} sets of ${size} wait; ${findings} findings`)
    },
  })
  console.log(exploration.report())
  expect(exploration.findings, exploration.report()).toEqual([])
  if (isQuick) return
  expect(exploration.result.left).toBe(0)
  expect(readFileSync(page, 'utf8')).toContain(`${lineOf(exploration)}\n`)
})
