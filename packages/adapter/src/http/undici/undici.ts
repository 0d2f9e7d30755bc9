import type { InjectionContext } from '@chaos/core/authoring'
import type { ActOnRequest, AnswerableCall } from '../request-call.js'
import {
  globalDispatchers,
  innerDispatchOf,
  isGlobal,
  onGlobalDispatcher,
  requestName,
  type Dispatcher,
  type RequestTarget,
} from './dispatcher.js'
import { isMock } from './mock-dispatcher.js'
import { requestsOfMock } from './mocked.js'
import { requestsOfMocks } from './mocks.js'
import { requestsOnTheWire } from './on-the-wire.js'
import { requestsOfInner, type BelongsTo } from './requests.js'
import { standInOf } from './stand-in.js'

/** The requests of `fetch` and undici, before the service gets them. */
export function requestsOfUndici(target: RequestTarget, context: InjectionContext, act: ActOnRequest): void {
  if (isGlobal(target)) requestsOnTheWire(target, context, act, requestsOfMocks(target, context, act))
  else if (isMock(target)) requestsOfMock(target, context, act)
  else requestsOnTheWire(target, context, act)
}

/**
 * As {@link requestsOfUndici}, for a fault that answers each request. Such a request needs no connection, so that a
 * service that does not run is answered for as well.
 */
export function answeredByUndici(target: RequestTarget, context: InjectionContext, act: ActOnRequest): void {
  if (isGlobal(target)) answeredByAll(target, context, act)
  else if (answered(target, context, act) === undefined) requestsOfUndici(target, context, act)
}

/** Answers the requests of all global dispatchers, those included that are set while the fault is in force. */
function answeredByAll(global: typeof globalThis, context: InjectionContext, act: ActOnRequest): void {
  const known = new WeakSet<Dispatcher>()
  const answerers: BelongsTo[] = []
  const look = (): void => {
    for (const dispatcher of globalDispatchers(global)) {
      if (known.has(dispatcher)) continue
      known.add(dispatcher)
      const isAnswered = answered(dispatcher, context, act)
      if (isAnswered !== undefined) answerers.push(isAnswered)
    }
  }
  look()
  onGlobalDispatcher(global, context, look)
  const isMocked = requestsOfMocks(global, context, act)
  requestsOnTheWire(
    global,
    context,
    act,
    (request) => answerers.some((isAnswered) => isAnswered(request)) || isMocked(request),
  )
}

/** @returns `undefined` for a dispatcher whose requests can be answered on their connection only. */
function answered(dispatcher: Dispatcher, context: InjectionContext, act: ActOnRequest): BelongsTo | undefined {
  const inner = innerDispatchOf(dispatcher)
  const standIn = inner === undefined ? undefined : standInOf(dispatcher)
  if (inner === undefined || standIn === undefined) return undefined
  return requestsOfInner(dispatcher, inner, context, (dispatched) => {
    const [request] = dispatched
    const name = requestName(request)
    if (name === undefined || !context.operation(name).shouldInject(dispatched)) return undefined
    const later: AnswerableCall['later'] = (keep) =>
      standIn(dispatched, (answer) => keep({ answer, proceed: () => undefined, fail: () => undefined }))
    return act({ name, args: dispatched, proceed: () => undefined, fail: () => undefined, later }) as boolean
  })
}
