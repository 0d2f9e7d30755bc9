import { expect, it } from 'vitest'
import * as entry from './index.js'

it('exports what tests need, and what the binding of a runner needs', () => {
  expect(Object.keys(entry).sort()).toEqual([
    'check',
    'explore',
    'exploreAtRandom',
    'exploreModule',
    'finish',
    'matchers',
    'openTestChaos',
    'runnerClock',
    'toHaveFiredAlert',
    'toHaveHit',
    'toHaveLanded',
    'toHaveRetried',
    'toRecoverWithin',
    'withChaos',
  ])
})
