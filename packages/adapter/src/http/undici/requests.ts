import type { InjectionContext } from '@chaos/core/authoring'
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { hidden } from '../../sockets/hidden.js'
import { onSessionRequests, type StartingRequest } from '../http2/sessions.js'
import { innerDispatchOf, isGlobal, type Dispatched, type Dispatcher, type RequestTarget } from './dispatcher.js'

/** A request as undici keeps it, in every version. */
export interface UndiciRequest {
  readonly origin: string | URL
  readonly path: string
  readonly method: string
}

/** The steps of a request that a fault follows. */
interface Steps {
  /** The request is written to a connection of HTTP/1, in the same turn of the event loop. */
  readonly sent: (request: UndiciRequest, socket: Socket) => void
  /** The request starts on a session of HTTP/2. Returns its stream. */
  readonly starting: (request: UndiciRequest, starting: StartingRequest) => ClientHttp2Stream
  /** The response is complete, or the request has failed. */
  readonly over?: (request: UndiciRequest) => void
}

/** Returns whether a request belongs to a target. */
export type BelongsTo = (request: UndiciRequest) => boolean

/** What undici publishes about a step of a request. Each channel publishes the request and at most one of the others. */
interface Step {
  readonly request: UndiciRequest
  readonly socket: Socket
  readonly response: { readonly statusCode: number }
  readonly error: unknown
}

/** Subscribes to a diagnostics channel of undici until the injection ends. */
export function follow(context: InjectionContext, channel: `undici:${string}`, listener: (step: Step) => void): void {
  const onMessage = (message: unknown): void => listener(message as Step)
  subscribe(channel, onMessage)
  context.defer(() => void unsubscribe(channel, onMessage))
}

/**
 * Follows the requests of a target where undici writes them to a connection, beneath its pools, interceptors, retries
 * and timeouts. Each copy of undici in the process, that of Node.js included, publishes these steps.
 */
export function followRequests(
  target: RequestTarget,
  context: InjectionContext,
  { sent, starting, over }: Steps,
): void {
  const isOf = requestsOf(target, context)
  follow(context, 'undici:client:sendHeaders', ({ request, socket }) => {
    if (!isHttp2(socket) && isOf(request)) sent(request, socket)
  })
  onSessionRequests(context, (start) => {
    const request = undiciRequestOn(start.session)
    return request !== undefined && isOf(request) ? starting(request, start) : start.send()
  })
  if (over === undefined) return
  for (const end of ['undici:request:trailers', 'undici:request:error'] as const)
    follow(context, end, ({ request }) => over(request))
}

/** HTTP/2 sends all requests of a connection as frames that only the session can tell apart. */
function isHttp2(socket: Socket): boolean {
  return Reflect.get(socket, 'alpnProtocol') === 'h2'
}

/** Returns the request that undici starts on a session of its own; `undefined`: the session is not undici's. */
export function undiciRequestOn(session: object): UndiciRequest | undefined {
  const client = hidden(session, 'client')
  if (typeof client !== 'object' || client === null) return undefined
  const [queue, index] = [hidden(client, 'queue'), hidden(client, 'pending index')]
  return Array.isArray(queue) && typeof index === 'number' ? (queue[index] as UndiciRequest | undefined) : undefined
}

/** Tells the requests of a target from others. */
export function requestsOf(target: RequestTarget, context: InjectionContext): BelongsTo {
  if (isGlobal(target)) return () => true
  const inner = innerDispatchOf(target)
  return inner === undefined ? requestsThrough(target, context) : requestsOfInner(target, inner, context)
}

/**
 * Tells the requests of one dispatcher from others.
 *
 * @param divert Sends a request in another way.
 */
export function requestsOfInner(
  dispatcher: Dispatcher,
  inner: symbol,
  context: InjectionContext,
  divert?: (dispatched: Dispatched) => boolean | undefined,
): BelongsTo {
  const requests = new WeakSet<UndiciRequest>()
  const handlers = new WeakSet()
  let isStarting = false
  context.patch(
    dispatcher,
    inner,
    (below) =>
      function (this: Dispatcher, ...args: Dispatched): boolean {
        const [, handler] = args
        // A pool without a free connection makes the request later, with the same handler.
        handlers.add(handler)
        const wasStarting = isStarting
        isStarting = true
        try {
          return divert?.(args) ?? (below.call.apply(this, args) as boolean)
        } finally {
          isStarting = wasStarting
        }
      },
  )
  follow(context, 'undici:request:create', ({ request }) => {
    if (!isStarting && !handlers.has(handlerOf(request) ?? request)) return
    isStarting = false
    requests.add(request)
  })
  return (request) => requests.has(request)
}

/** Returns the handler that a request was dispatched with. */
export function handlerOf(request: object): object | undefined {
  return hidden(request, 'handler') as object | undefined
}

/** Tells the requests of a dispatcher that hands them to another one (`RetryAgent`), repeated ones included. */
function requestsThrough(dispatcher: Dispatcher, context: InjectionContext): BelongsTo {
  const requests = new WeakSet<UndiciRequest>()
  const through = new AsyncLocalStorage<boolean>()
  context.defer(() => through.disable())
  context.patch(
    dispatcher,
    'dispatch',
    (below) =>
      function dispatch(this: Dispatcher, ...args: Dispatched): boolean {
        return through.run(true, () => below.call.apply(this, args) as boolean)
      },
  )
  follow(context, 'undici:request:create', ({ request }) => {
    if (through.getStore() === true) requests.add(request)
  })
  return (request) => requests.has(request)
}
