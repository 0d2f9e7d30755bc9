import { exploreModule } from '@chaos/test'
import { expect, it } from 'vitest'

const exits = new URL('../../test/explored/exits.mjs', import.meta.url)
const talks = new URL('../../test/explored/talks.mjs', import.meta.url)
const blocks = new URL('../../test/explored/blocks.mjs', import.meta.url)

it.each([
  ['worker', 'The thread of the test ended with code 7.'],
  ['process', 'The process of the test ended with code 7.'],
] as const)('gives each run a %s of its own, which a run may end', async (isolation, reason) => {
  const { findings, line, complete } = await exploreModule(exits, isolation, { onFinding: 'return' })
  expect(findings.map((finding) => [finding.reason, finding.code])).toEqual([
    [reason, "await inject(refuseCalls(), store, { scope: 'counter', only: 'write', limit: 1 })"],
  ])
  expect(line).toContain('2 points × 1 kind, depth 1: 2 of 2 sets run')
  expect(complete).toBe(true)
})

it('infers nothing from a run of which only the end is known', async () => {
  const { line } = await exploreModule(exits, 'worker', { onFinding: 'return', depth: 2 })
  expect(line).toMatch(/2 of 3 sets run; 1 pruned \(1 supersets\); audit 1 of 1 agree; .*; complete$/)
})

it.each(['worker', 'process'] as const)('hears its own %s alone, whatever else the app says', async (isolation) => {
  const { complete } = await exploreModule(talks, isolation)
  expect(complete).toBe(true)
})

it('tells how a thread ends by an error, and ends one that blocks', { timeout: 60_000 }, async () => {
  const { findings } = await exploreModule(blocks, 'worker', { onFinding: 'return', deadlineMs: 500 })
  expect(findings.map(({ reason }) => reason)).toEqual([
    'The thread of the test ended: cannot read',
    'The test hangs, and its thread with it.',
  ])
})

it.each(['worker', 'process'] as const)('ends a %s that blocks when the search is given up', async (isolation) => {
  const own = new AbortController()
  const { line } = await exploreModule(blocks, isolation, {
    ...{ signal: own.signal, deadlineMs: 600_000, onFinding: 'return' },
    onProgress({ waiting }) {
      if (waiting === 1) setImmediate(() => own.abort())
    },
  })
  expect(line).toMatch(/not complete: 1 set remains, it was given up$/)
})
