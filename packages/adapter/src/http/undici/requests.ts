import type { InjectionContext } from '@chaos/core/authoring'
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { innerDispatchOf, isGlobal, type Dispatched, type Dispatcher, type RequestTarget } from './dispatcher.js'

/** A request as undici keeps it, in every version. */
export interface UndiciRequest {
  readonly origin: string | URL
  readonly path: string
  readonly method: string
}

/** The steps of a request that a fault follows. */
interface Steps {
  /** The request is written to a connection, in the same turn of the event loop. */
  readonly sent?: (request: UndiciRequest, socket: Socket) => void
  /** The response is complete, or the request has failed. */
  readonly over?: (request: UndiciRequest) => void
}

/** Returns whether a request belongs to a target. */
export type BelongsTo = (request: UndiciRequest) => boolean

/** What undici publishes about a step of a request. */
interface Step {
  readonly request: UndiciRequest
}

/** Subscribes to a diagnostics channel of undici until the injection ends. */
export function follow(
  context: InjectionContext,
  channel: `undici:${string}`,
  listener: (step: Step & { readonly socket: Socket }) => void,
): void {
  const onMessage = (message: unknown): void => listener(message as Step & { readonly socket: Socket })
  subscribe(channel, onMessage)
  context.defer(() => void unsubscribe(channel, onMessage))
}

/**
 * Follows the requests of a target where undici writes them to a connection, beneath its pools, interceptors, retries
 * and timeouts. Each copy of undici in the process, that of Node.js included, publishes these steps.
 */
export function followRequests(target: RequestTarget, context: InjectionContext, { sent, over }: Steps): void {
  const isOf = requestsOf(target, context)
  if (sent !== undefined)
    follow(context, 'undici:client:sendHeaders', ({ request, socket }) => {
      if (isOf(request)) sent(request, socket)
    })
  if (over === undefined) return
  for (const end of ['undici:request:trailers', 'undici:request:error'] as const)
    follow(context, end, ({ request }) => over(request))
}

function requestsOf(target: RequestTarget, context: InjectionContext): BelongsTo {
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

function handlerOf(request: UndiciRequest): object | undefined {
  const key = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'handler')
  return key === undefined ? undefined : (Reflect.get(request, key) as object)
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
