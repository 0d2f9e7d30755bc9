import { expect, it } from 'vitest'
import * as entry from './index.js'
import * as testing from './testing/index.js'

it('exports what applications need to join a fleet', () => {
  expect(Object.keys(entry).sort()).toEqual([
    'joinFleet',
    'memoryEngine',
    'readPublicKeyFile',
    'redisAgentTransport',
    'relayAgentTransport',
    'startRelay',
  ])
})

it('exports what tests of a fleet need', () => {
  expect(Object.keys(testing).sort()).toEqual(['transportContract'])
})
