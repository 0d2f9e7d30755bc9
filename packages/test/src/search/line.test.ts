import { expect, it } from 'vitest'
import { isComplete, lineOf } from './line.js'
import type { Point } from './model.js'
import type { SearchResult } from './search.js'

const pointOf = (call: number): Point => ({ scope: 's', target: 't', operation: 'o', call })
const result: SearchResult = {
  depth: 2,
  points: Array.from({ length: 8 }, (_, n) => ({ point: pointOf(n + 1), kinds: ['refused', 'lost', 'late'] })),
  ...{
    sets: 313,
    run: 89,
    pruned: { reach: 108, overlaps: 0, 'equal kinds': 102, supersets: 14 },
    left: 0,
    inferred: 102,
  },
  ...{ unstable: [pointOf(9), pointOf(10)], notReached: [], notRepeated: [], drifted: [], late: [], fates: [] },
  audit: { made: 11, agreed: 11, off: [] },
  ...{ findings: [], spoiledBy: undefined, brokenAfter: undefined, failure: undefined },
  ...{ stoppedBy: undefined, runs: 120, ms: 1_234 },
}

it('says what was tried, what was not, and why', () => {
  expect(lineOf(result)).toBe(
    '8 points × 3 kinds, depth 2: 89 of 313 sets run; 224 pruned (108 reach, 102 equal kinds, 14 supersets); 2 unstable points left out; audit 11 of 11 agree; 1.2 s; not complete',
  )
})

it.each([
  ['complete', { unstable: [], inferred: 0 }],
  ['complete but for 1 inferred set', { unstable: [], inferred: 1 }],
  ['not complete: 1,200 sets remain, the time was up', { unstable: [], left: 1_200, stoppedBy: 'the time was up' }],
  ['not complete: 1 set remains, a finding spoiled the runs after it', { left: 1, spoiledBy: [] }],
  [
    '1 set broke once and not again; audit 11 of 11 agree; 1.2 s; not complete',
    { unstable: [], notRepeated: [{ hits: [], reason: '' }] },
  ],
  [
    '1 point not the same after the search; audit 11 of 11 agree; 1.2 s; not complete',
    { unstable: [], drifted: [pointOf(1)] },
  ],
  ['1 late error; audit 11 of 11 agree; 1.2 s; not complete', { unstable: [], late: [{ hits: [], reason: 'no' }] }],
  ['not complete: a run without a fault breaks after the search', { unstable: [], brokenAfter: 'no' }],
  [
    'not complete: 3 sets remain, a run could not be made',
    { unstable: [], left: 3, failure: 'no', stoppedBy: 'a run could not be made' },
  ],
] as const)('ends with "%s"', (end, changes) => {
  const changed: SearchResult = { ...result, ...changes }
  expect(lineOf(changed).endsWith(`; ${end}`)).toBe(true)
  expect(isComplete(changed)).toBe(end === 'complete')
})
