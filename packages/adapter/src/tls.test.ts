import { expect, it } from 'vitest'
import * as faults from './tls.js'

it('exports these names and no others', () => {
  expect(Object.keys(faults).sort()).toEqual(['failHandshakes'])
})
