import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { failAfterCall } from './fail-after-call.js'

it('takes objects and classes, and checks its options', () => {
  void inject(failAfterCall({ methods: ['set'], error: 'ECONNRESET' }), new Store())
  void inject(failAfterCall({ methods: ['set'], error: 'ECONNRESET' }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  failAfterCall({ error: 'ECONRESET' })
  // @ts-expect-error -- no such option
  failAfterCall({ ...{ methods: ['set'], error: 'ECONNRESET' }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(failAfterCall({ methods: ['set'], error: 'ECONNRESET' }), 'store')
})
