import { expect, it } from 'vitest'
import * as worker from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(worker).sort()).toEqual(['terminateWorker'])
})
