import { expect, it } from 'vitest'
import * as faults from './fs.js'

it('exports these names and no others', () => {
  expect(Object.keys(faults).sort()).toEqual(['delayFileOperations', 'failFileOperations', 'hangFileOperations'])
})
