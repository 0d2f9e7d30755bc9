import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { loseWrites } from './lose-writes.js'

it('takes objects and classes, and checks its options', () => {
  void inject(loseWrites({ methods: 'set', answer: ['OK'] }), new Store())
  void inject(loseWrites({ methods: 'set', answer: ['OK'] }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  loseWrites({ answer: 'OK' })
  // @ts-expect-error -- no such option
  loseWrites({ ...{ methods: 'set', answer: ['OK'] }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(loseWrites({ methods: 'set', answer: ['OK'] }), 'store')
})
