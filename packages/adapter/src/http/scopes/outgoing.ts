import type { AsyncResource } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { currentScope } from '@chaos/core'
import { hasScopeMember, withoutScopeMember, withScopeMember, type InjectionContext } from '@chaos/core/authoring'
import http from 'node:http'
import type { ClientHttp2Session } from 'node:http2'
import { clientOrigin } from '../target.js'
import { handlerOf } from '../undici/requests.js'
import { patchSessions, sessionOrigin } from '../http2/sessions.js'
import {
  changedHeaders,
  givenHeader,
  givenMember,
  HEADER,
  originIn,
  withHeader,
  withMember,
  type GivenHeaders,
  type PublishedHeaders,
} from './outgoing-headers.js'

/** Which requests carry scopes. */
export interface OutgoingScopes {
  /** Whether requests to an origin carry the current scope. `undefined`: all do. */
  readonly isTo?: ((origin: string) => boolean) | undefined
  /** Whether the application passes on no member but minted ones. Outside of `isTo`, it passes on none. */
  readonly isEdge: boolean
}

/** A request as undici publishes it. */
interface CreatedRequest {
  readonly origin: string | URL
  headers?: PublishedHeaders
  readonly addHeader?: (name: string, value: string) => unknown
}

/** Writes the current scope into the requests that this process sends: the Node.js clients, `fetch`, undici, gRPC. */
export function scopesOfOutgoing(context: InjectionContext, { isTo, isEdge }: OutgoingScopes): void {
  const takesOut = isTo !== undefined || isEdge
  /** What an application passes on of a header that it has got. */
  const passedOn = (given: string, isInside: boolean): string =>
    isInside && (!isEdge || hasScopeMember(given, { accept: 'minted' })) ? given : withoutScopeMember(given)
  /** The value of the header, if it is not the one that the application has given. */
  const valueFor = (originOf: () => string, givenIn: () => string | undefined): string | undefined => {
    const scope = currentScope()
    if (scope === undefined && !takesOut) return undefined
    const isInside = isTo?.(originOf()) ?? true
    const given = givenIn()
    if (scope !== undefined && isInside) return withScopeMember(scope, given)
    const value = given === undefined ? undefined : passedOn(given, isInside)
    return value === given ? undefined : value
  }
  context.patch(
    http.ClientRequest.prototype,
    // Called once, right before the head is rendered.
    '_storeHeader',
    (below) =>
      function _storeHeader(this: http.ClientRequest, firstLine: string, headers: GivenHeaders): unknown {
        const value = valueFor(
          () => originIn(headers, this.protocol) ?? clientOrigin(this),
          () => givenHeader(this, headers),
        )
        return below.call.call(this, firstLine, value === undefined ? headers : withHeader(this, headers, value))
      },
  )
  patchSessions(
    context,
    'request',
    (below) =>
      function request(this: ClientHttp2Session, ...args: unknown[]): unknown {
        const [headers, ...rest] = args
        const value = valueFor(
          () => sessionOrigin(this),
          () => givenMember(headers),
        )
        if (value === undefined) return below.call.apply(this, args)
        return below.call.call(this, withMember(headers, value), ...rest)
      },
  )
  const write = (request: CreatedRequest): void => {
    const scope = currentScope()
    if (scope === undefined && !takesOut) return
    const isInside = isTo?.(String(request.origin)) ?? true
    if (takesOut) request.headers = changedHeaders(request.headers, (given) => passedOn(given, isInside))
    // A member of the application's own is in a header of its own: a recipient puts the values of both together.
    if (scope !== undefined && isInside) request.addHeader?.(HEADER, withScopeMember(scope))
  }
  const onCreate = (message: unknown): void => {
    const { request } = message as { readonly request: CreatedRequest }
    // A pool without a free connection creates it later, when another request has ended.
    const caller = handlerOf(request)
    if (isAsyncResource(caller)) caller.runInAsyncScope(write, undefined, request)
    else write(request)
  }
  subscribe('undici:request:create', onCreate)
  context.defer(() => void unsubscribe('undici:request:create', onCreate))
}

/** Returns whether a handler is one of undici's own methods (`request`, `stream`, …), which keep the context of their caller. */
const isAsyncResource = (handler: object | undefined): handler is AsyncResource =>
  handler !== undefined && 'runInAsyncScope' in handler && typeof handler.runInAsyncScope === 'function'
