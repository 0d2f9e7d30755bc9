import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { flapCalls } from './flap-calls.js'

it('takes objects and classes, and checks its options', () => {
  void inject(flapCalls({ downMs: 1, upMs: 2, first: 'up' }), new Store())
  void inject(flapCalls({ downMs: 1, upMs: 2, first: 'up' }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  flapCalls({ downMs: 1 })
  // @ts-expect-error -- no such option
  flapCalls({ ...{ downMs: 1, upMs: 2, first: 'up' }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(flapCalls({ downMs: 1, upMs: 2, first: 'up' }), 'store')
})
