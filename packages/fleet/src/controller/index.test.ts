import { expect, it } from 'vitest'
import * as entry from './index.js'

it('exports what controllers and their tools need', () => {
  expect(Object.keys(entry).sort()).toEqual([
    'aclFile',
    'checkPolicy',
    'connect',
    'fleetConnector',
    'fleetController',
    'fleetJournal',
    'journalFile',
    'makeKey',
    'parsePolicy',
    'parseTarget',
    'planRun',
    'policyJsonSchema',
    'readKeyFile',
    'readPublicKeyFile',
    'redisControllerTransport',
    'relayControllerTransport',
    'signPlan',
    'verifyJournal',
    'verifyPlan',
    'writeKeyFiles',
  ])
})
