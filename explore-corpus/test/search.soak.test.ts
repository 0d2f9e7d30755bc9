import { describe, expect, it } from 'vitest'
import type { KnownHit, RunningApp } from '../src/shared/corpus-app.js'
import { everySet } from './every-set.js'
import { golden } from './golden.js'
import { runWith } from './run-with.js'
import { broken, foundIn, healthy, isSameSet, replays, searched, withoutOne, type Variant } from './searching.js'

const isWhole = process.env['CHAOS_SOAK'] !== 'quick'
/** The quick form searches the smallest app alone. */
const chosen = (variants: readonly Variant[]): readonly Variant[] =>
  variants.filter(({ app }) => isWhole || app.name === 'saga')

const isPinned = golden('whole')

describe.each(chosen(broken))('the whole search of $app.name with $bug', (variant) => {
  const { app, bug, revealedBy } = variant

  it('finds the bug among smallest sets, replays it each time, and misses nothing that a blind search finds', async () => {
    const exploration = await searched(variant, { depth: 2 })
    const found = foundIn(exploration)
    const wanted = found.find(({ set }) => isSameSet(set, revealedBy))
    expect(wanted, exploration.report()).toBeDefined()
    isPinned(`${app.name}: ${bug}`, exploration)
    expect(await replays(variant, wanted?.replay, 100)).toBe(100)

    const running = variant.make()
    for (const { set } of found) {
      expect((await runWith(running, set)).brokenBy).toBeInstanceOf(Error)
      for (const fewer of withoutOne(set)) expect((await runWith(running, fewer)).brokenBy).toBeUndefined()
    }
    const missed = await brokenSets(running, found)
    if (missed.length === 0) return
    // Left out by inference, which the search says. A thorough one infers nothing.
    expect(exploration.complete).toBe(false)
    const thorough = foundIn(await searched(variant, { depth: 2, thorough: true }))
    expect(missed.filter((hits) => !isKnown(hits, thorough))).toEqual([])
  })
})

describe.each(chosen(healthy))('the whole search of $app.name without a bug', (variant) => {
  it('finds nothing with two faults, nor does a blind search', async () => {
    const exploration = await searched(variant, { depth: 2 })
    expect(exploration.findings, exploration.report()).toEqual([])
    isPinned(`${variant.app.name}: none`, exploration)
    expect(await brokenSets(variant.make(), [])).toEqual([])
  })
})

type Found = ReturnType<typeof foundIn>

/** The sets that break an app and contain no finding, of all sets there are. */
async function brokenSets(app: RunningApp, found: Found): Promise<readonly (readonly KnownHit[])[]> {
  const sets: (readonly KnownHit[])[] = []
  for await (const { hits, isBroken } of everySet(app, 2)) if (isBroken && !isKnown(hits, found)) sets.push(hits)
  return sets
}

function isKnown(hits: readonly KnownHit[], found: Found): boolean {
  return found.some(({ set }) => contains(hits, set))
}

/** Whether a set has the hits of a finding. One hit that lasts stands for several tries of one call. */
function contains(hits: readonly KnownHit[], finding: readonly KnownHit[]): boolean {
  return finding.every((wanted) => hits.some((hit) => isOf(hit, wanted)))
}

function isOf(hit: KnownHit, wanted: KnownHit): boolean {
  return (
    hit.scope === wanted.scope &&
    hit.target === wanted.target &&
    hit.operation === wanted.operation &&
    hit.fault === wanted.fault &&
    (wanted.times === 'always' ? hit.call >= wanted.call : hit.call === wanted.call)
  )
}
