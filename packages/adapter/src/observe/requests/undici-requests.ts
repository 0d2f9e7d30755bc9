import type { InjectionContext } from '@chaos/core/authoring'
import { globalDispatchers, isGlobal, onGlobalDispatcher, requestName } from '../../http/undici/dispatcher.js'
import type { Dispatcher, RequestTarget } from '../../http/undici/dispatcher.js'
import { isMock } from '../../http/undici/mock-dispatcher.js'
import { follow, requestsOf, type UndiciRequest } from '../../http/undici/requests.js'
import type { Recorder, Recording } from '../recorder.js'
import { headersOf } from './undici-headers.js'
import { watchMock } from './mock-requests.js'

/**
 * Records the requests of `fetch` and undici, beneath retries, pools and interceptors, as each copy of undici in the process
 * publishes them.
 */
export function watchUndiciRequests(target: RequestTarget, context: InjectionContext, recorder: Recorder): void {
  if (isGlobal(target)) watchGlobalMocks(target, context, recorder)
  else if (isMock(target)) {
    watchMock(target, context, recorder)
    return
  }
  watchSent(target, context, recorder)
}

function watchSent(target: RequestTarget, context: InjectionContext, recorder: Recorder): void {
  const recordings = new WeakMap<UndiciRequest, Recording>()
  const isOf = requestsOf(target, context)
  follow(context, 'undici:request:create', ({ request }) => {
    const operation = isOf(request) ? requestName(request) : undefined
    if (operation === undefined || !context.operation(operation).shouldInject([request])) return
    const { method, path: url } = request
    const headers = headersOf(request)
    recordings.set(
      request,
      recorder.begin({ operation, args: [{ method, url, headers }], identity: [url], isLoose: true }),
    )
  })
  follow(context, 'undici:request:headers', ({ request, response }) =>
    recordings.get(request)?.answered(response.statusCode),
  )
  follow(context, 'undici:request:trailers', ({ request }) => recordings.get(request)?.complete())
  follow(context, 'undici:request:error', ({ request, error }) => recordings.get(request)?.failed(error))
}

/** Records the requests that a `MockAgent` answers, if one is the global dispatcher or becomes it. */
function watchGlobalMocks(global: typeof globalThis, context: InjectionContext, recorder: Recorder): void {
  const known = new WeakSet<Dispatcher>()
  const look = (): void => {
    for (const dispatcher of globalDispatchers(global)) {
      if (known.has(dispatcher) || !isMock(dispatcher)) continue
      known.add(dispatcher)
      watchMock(dispatcher, context, recorder)
    }
  }
  look()
  onGlobalDispatcher(global, context, look)
}
