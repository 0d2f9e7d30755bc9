import { expect, it } from 'vitest'
import * as faults from './http.js'

it('exports these names and no others', () => {
  expect(Object.keys(faults).sort()).toEqual([
    'answerRequests',
    'corruptResponses',
    'cutResponses',
    'delayRequests',
    'hangRequests',
    'hangResponses',
    'slowResponses',
  ])
})
