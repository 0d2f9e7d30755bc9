import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { barsOf } from './bars.js'
import { withResults } from './page.js'
import { spreadOf, type Results, type Row } from './results.js'

const inRoot = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')

it('is written from the results that are kept', () => {
  const [page, results] = [inRoot('docs/fleet/measured.md'), JSON.parse(inRoot('test-fleet/results.json')) as Results]
  expect(withResults(page, results)).toBe(page)
  expect(barsOf(results.rows, results.form)).toEqual(results.bars)
})

const row = (given: Partial<Row>): Row => ({
  name: 'halt, controller: SIGKILL',
  promises: 'G4',
  agents: 200,
  processes: 4,
  leaseMs: 3_000,
  trials: 3,
  appliedMs: [120, 90, 400],
  asked: undefined,
  reverted: { best: 20, median: 40, worst: 90 },
  boundMs: 660,
  beyondMs: 0,
  reapplied: 0,
  early: 0,
  failures: [],
  ...given,
})
const missed = (few: Partial<Row>, many: Partial<Row> = {}): readonly string[] =>
  barsOf([row(few), row({ agents: 2_000, ...many })], 'whole').flatMap(({ name, isHeld }) => (isHeld ? [] : [name]))

it('misses the bar that a row is beyond, and no other', () => {
  expect(missed({})).toEqual([])
  expect(missed({ appliedMs: [1, 151, 152] })).toEqual(['a run of 200 agents is in force, the median of all trials'])
  expect(missed({}, { appliedMs: [1_001] })).toEqual(['a run of 2,000 agents is in force, the median of all trials'])
  expect(missed({ reverted: { best: 1, median: 101, worst: 200 } })).toEqual([
    'a halt with the controller dead has reverted 200 agents, the median',
  ])
  expect(missed({ beyondMs: 1 })).toEqual(['every instance is whole in time, in every trial'])
  expect(missed({ reapplied: 1 })).toEqual(['applied again, in all trials'])
  expect(missed({ failures: ['it hung'] })).toEqual(['trials that failed'])
})

it('misses the bars of what was never measured', () => {
  expect(missed({ appliedMs: [], reverted: undefined }, { appliedMs: [] })).toHaveLength(3)
})

it('tells the best, the median and the worst of times in any order', () => {
  expect(spreadOf([30.4, 10, 20])).toEqual({ best: 10, median: 20, worst: 30 })
  expect(spreadOf([])).toBeUndefined()
})
