import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { hangCalls } from './hang-calls.js'

it('takes objects and classes, and checks its options', () => {
  void inject(hangCalls({ seam: 'response' }), new Store())
  void inject(hangCalls({ seam: 'response' }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  hangCalls({ seam: 'reply' })
  // @ts-expect-error -- no such option
  hangCalls({ ...{ seam: 'response' }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(hangCalls({ seam: 'response' }), 'store')
})
