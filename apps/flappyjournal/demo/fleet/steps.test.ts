import { expect, it } from 'vitest'
import { allHeld, summaryOf } from './steps.js'

const held = { claim: 'it holds', held: true, measured: ['1 of 1'] }
const failed = { claim: 'it holds', held: false, measured: ['0 of 1', 'none'] }

it.each([
  ['every step held', [held, held], true],
  ['a step did not hold', [held, failed], false],
  ['a step was not reached', [held], false],
  ['none was reached', [], false],
])('says whether all held: %s', (_title, steps, all) => {
  expect(allHeld(steps, 2)).toBe(all)
})

it('shows a step that did not hold', () => {
  expect(summaryOf([held, failed]).split('\n').slice(2)).toEqual([
    'it holds         │ yes  │ 1 of 1',
    'it holds         │ NO   │ 0 of 1',
    '                 │      │ none',
  ])
})
