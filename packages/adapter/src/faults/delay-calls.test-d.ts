import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { delayCalls } from './delay-calls.js'

it('takes objects and classes, and checks its options', () => {
  void inject(delayCalls({ delayMs: 5, jitterMs: 1, seam: 'response' }), new Store())
  void inject(delayCalls({ delayMs: 5, jitterMs: 1, seam: 'response' }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  delayCalls({ jitterMs: 1 })
  // @ts-expect-error -- no such option
  delayCalls({ ...{ delayMs: 5, jitterMs: 1, seam: 'response' }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(delayCalls({ delayMs: 5, jitterMs: 1, seam: 'response' }), 'store')
})
