import { expect, it } from 'vitest'
import * as eventbus from './index.js'

it('exports these names and no others', () => {
  expect(Object.keys(eventbus).sort()).toEqual(['bindBus', 'delayEvents', 'emitterBus', 'isBus', 'methodSeam'])
})
