import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { cutResults } from './cut-results.js'

it('takes objects and classes, and checks its options', () => {
  void inject(cutResults({ methods: ['scan'], afterItems: 2, error: 'ECONNRESET' }), new Store())
  void inject(cutResults(), Store)
  // @ts-expect-error -- not what the option takes
  cutResults({ afterItems: '2' })
  // @ts-expect-error -- no such option
  cutResults({ after: 2 })
  // @ts-expect-error -- not an object
  void inject(cutResults(), 'store')
})
