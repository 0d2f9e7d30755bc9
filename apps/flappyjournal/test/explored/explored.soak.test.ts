import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { accepted, unusualIn } from './accepted.js'
import { exploreJournal } from './explore-journal.js'
import { lineOf, page, stories } from './stories.js'

const text = readFileSync(page, 'utf8')

it.each(stories)('survives every single fault: $name', { timeout: 300_000 }, async ({ name, story, behaviours }) => {
  const exploration = await exploreJournal(name, story, { depth: 1, budgetMs: 240_000, behaviours })
  expect(exploration.findings, exploration.report()).toEqual([])
  expect(exploration.complete, exploration.line).toBe(true)
  expect(text).toContain(`${lineOf(exploration)}\n`)
})

it('shows a client nothing but what the page explains', () => {
  const unusual = stories.flatMap(({ behaviours }) => unusualIn(behaviours))
  expect(unusual.filter((part) => !accepted.some(({ matches }) => matches.test(part)))).toEqual([])
  for (const { title, matches } of accepted) {
    expect(
      unusual.some((part) => matches.test(part)),
      title,
    ).toBe(true)
    expect(text).toContain(`| ${title} `)
  }
})
