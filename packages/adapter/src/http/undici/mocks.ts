import type { InjectionContext } from '@chaos/core/authoring'
import type { ActOnRequest } from '../request-call.js'
import { globalDispatchers, onGlobalDispatcher, type Dispatcher } from './dispatcher.js'
import { isMock } from './mock-dispatcher.js'
import { requestsOfMock } from './mocked.js'
import { requestsOfInterceptor } from './interceptor.js'
import type { BelongsTo } from './requests.js'

/**
 * Requests of `fetch` that a mock gets before anything is sent: a mock dispatcher that is the global one (`MockAgent` of
 * undici), or the interceptor of nock and MSW. Mocks that are installed while the fault is in force are found too.
 *
 * @returns Whether the fault has decided about a request that a mock then passed on to the network.
 */
export function requestsOfMocks(global: typeof globalThis, context: InjectionContext, act: ActOnRequest): BelongsTo {
  const known = new WeakSet<Dispatcher>()
  const look = (): void => {
    for (const dispatcher of globalDispatchers(global)) {
      if (known.has(dispatcher) || !isMock(dispatcher)) continue
      known.add(dispatcher)
      requestsOfMock(dispatcher, context, act)
    }
  }
  look()
  onGlobalDispatcher(global, context, look)
  return requestsOfInterceptor(global, context, act)
}
