import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { serveStaleReads } from './serve-stale-reads.js'

it('takes objects and classes, and checks its options', () => {
  void inject(serveStaleReads({ methods: 'get', lagMs: 5 }), new Store())
  void inject(serveStaleReads({ methods: 'get', lagMs: 5 }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  serveStaleReads({ lagMs: 5 })
  // @ts-expect-error -- no such option
  serveStaleReads({ ...{ methods: 'get', lagMs: 5 }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(serveStaleReads({ methods: 'get', lagMs: 5 }), 'store')
})
