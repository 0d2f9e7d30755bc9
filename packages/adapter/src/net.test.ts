import { expect, it } from 'vitest'
import * as faults from './net.js'

it('exports these names and no others', () => {
  expect(Object.keys(faults).sort()).toEqual([
    'cutConnections',
    'cutResponses',
    'delayConnections',
    'hangConnections',
    'refuseConnections',
    'slowResponses',
  ])
})
