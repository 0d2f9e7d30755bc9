import { describe, expect, it } from 'vitest'
import { golden } from './golden.js'
import { broken, foundIn, healthy, isSameSet, replays, searched } from './searching.js'

const isPinned = golden('quick')

describe.each(broken)('the search of $app.name with $bug', (variant) => {
  it('finds the bug, shrinks it to its smallest set of faults, and replays it from its file', async () => {
    const { app, bug, revealedBy } = variant
    // For a bug that needs two faults, a search of its targets alone, until a few sets are found. The soak searches all.
    const depth = revealedBy.length
    const targets = [...new Set(revealedBy.map(({ target }) => target))]
    const exploration = await searched(variant, depth === 1 ? { depth } : { depth, targets, maxFindings: 8 })
    const found = foundIn(exploration).find(({ set }) => isSameSet(set, revealedBy))
    expect(found, exploration.report()).toBeDefined()
    expect(await replays(variant, found?.replay, 5)).toBe(5)
    isPinned(`${app.name}: ${bug}`, exploration)
  })
})

describe.each(healthy)('the search of $app.name without a bug', (variant) => {
  it('finds nothing with one fault', async () => {
    const exploration = await searched(variant, { depth: 1 })
    expect(exploration.findings, exploration.report()).toEqual([])
    isPinned(`${variant.app.name}: none`, exploration)
  })
})
