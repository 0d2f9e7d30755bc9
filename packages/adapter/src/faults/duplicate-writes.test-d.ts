import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { duplicateWrites } from './duplicate-writes.js'

it('takes objects and classes, and checks its options', () => {
  void inject(duplicateWrites({ methods: 'set', copies: 2 }), new Store())
  void inject(duplicateWrites({ methods: 'set', copies: 2 }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  duplicateWrites({ copies: 2 })
  // @ts-expect-error -- no such option
  duplicateWrites({ ...{ methods: 'set', copies: 2 }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(duplicateWrites({ methods: 'set', copies: 2 }), 'store')
})
