import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { limitRate } from './limit-rate.js'

it('takes objects and classes, and checks its options', () => {
  void inject(limitRate({ calls: 1, perMs: 2, refusal: 'response' }), new Store())
  void inject(limitRate({ calls: 1, perMs: 2, refusal: 'response' }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  limitRate({ calls: 1 })
  // @ts-expect-error -- no such option
  limitRate({ ...{ calls: 1, perMs: 2, refusal: 'response' }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(limitRate({ calls: 1, perMs: 2, refusal: 'response' }), 'store')
})
