import { inject } from '@chaos/core'
import { it } from 'vitest'
import { Store } from '../../test/store.js'
import { timeOutCalls } from './time-out-calls.js'

it('takes objects and classes, and checks its options', () => {
  void inject(timeOutCalls({ timeoutMs: 5, code: 'ETIMEOUT' }), new Store())
  void inject(timeOutCalls({ timeoutMs: 5, code: 'ETIMEOUT' }), Store)
  // @ts-expect-error -- not what the option takes, or one is missing
  timeOutCalls({ code: 'ETIMEOUT' })
  // @ts-expect-error -- no such option
  timeOutCalls({ ...{ timeoutMs: 5, code: 'ETIMEOUT' }, method: 'get' })
  // @ts-expect-error -- not an object
  void inject(timeOutCalls({ timeoutMs: 5, code: 'ETIMEOUT' }), 'store')
})
