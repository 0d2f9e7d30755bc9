import { inject } from '@chaos/core'
import { it } from 'vitest'
import { refuseCalls } from './refuse-calls.js'

class Store {
  get(_key: string): Promise<string> {
    return Promise.resolve('')
  }
}

it('takes objects and classes, and checks its options', () => {
  void inject(refuseCalls(), new Store())
  void inject(refuseCalls({ methods: ['get'], error: 'ECONNREFUSED', port: 6379 }), Store)
  void inject(refuseCalls({ makeError: ({ method }) => new Error(method) }), new Store())
  // @ts-expect-error -- no such preset
  refuseCalls({ error: 'ECONNREFUSE' })
  // @ts-expect-error -- no such option
  refuseCalls({ method: 'get' })
  // @ts-expect-error -- not an object
  void inject(refuseCalls(), 'store')
})
