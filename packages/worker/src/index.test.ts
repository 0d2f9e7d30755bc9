import { expect, it } from 'vitest'
import { faults } from './faults.js'
import * as worker from './index.js'

it('exports every fault, and these names beside them', () => {
  const others = Object.entries(worker).filter(([, value]) => !(faults as readonly unknown[]).includes(value))
  expect(others.map(([name]) => name).sort()).toEqual(['observeTasks', 'observeWorkers', 'trackWorkers'])
  expect(Object.values(worker)).toEqual(expect.arrayContaining([...faults]))
})
