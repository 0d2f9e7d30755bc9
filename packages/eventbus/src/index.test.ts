import { expect, it } from 'vitest'
import { faults } from './faults.js'
import * as eventbus from './index.js'

it('exports every fault, and these names beside them', () => {
  const others = Object.entries(eventbus).filter(([, value]) => !(faults as readonly unknown[]).includes(value))
  expect(others.map(([name]) => name).sort()).toEqual([
    'bindBus',
    'bindChannel',
    'bindEmitter',
    'bindEventTarget',
    'bindSubject',
    'carryScopes',
    'eventScopes',
    'isBus',
    'methodSeam',
    'observeDelivery',
  ])
  expect(Object.values(eventbus)).toEqual(expect.arrayContaining([...faults]))
})
