import { expect, it } from 'vitest'
import { exempt, isExempt } from './exempt.js'
import { processState } from './process-state.js'

it('exempts an object, and puts nothing on it', () => {
  const object = Object.freeze({ key: 'value' })
  expect(isExempt(object)).toBe(false)
  expect(exempt(object)).toBe(object)
  expect([isExempt(object), isExempt({ key: 'value' }), isExempt(undefined)]).toEqual([true, false, false])
})

it('sees what another copy of core has exempted', () => {
  const object = {}
  // What another copy does, as plain data of the process.
  processState().exempt.add(object)
  expect(isExempt(object)).toBe(true)
})
