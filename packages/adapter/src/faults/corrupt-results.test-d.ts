import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { corruptResults } from './corrupt-results.js'

it('takes objects and classes, and checks its options', () => {
  void inject(corruptResults({ damage: 'empty' }), new Store())
  void inject(corruptResults({ damage: 'empty' }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  corruptResults({ damage: 'shred' })
  // @ts-expect-error -- no such option
  corruptResults({ ...{ damage: 'empty' }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(corruptResults({ damage: 'empty' }), 'store')
})
