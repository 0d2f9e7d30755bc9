import { areScopesNeeded, openScope, runInScope, scopeOfMember, type MemberReading } from '@chaos/core/authoring'
import { currentScope, type Scope, type ScopeAttributes } from '@chaos/core'
import type http from 'node:http'
import { serverRequestName } from '../target.js'
import type { IncomingRequest } from './identify.js'

/** A request that a server of this process has got. Of HTTP/2, its stream and headers, or what Node.js makes of them. */
export type ServerRequest = Pick<http.IncomingMessage, 'method' | 'url' | 'headers'> & { readonly stream?: object }

/** What one user of request scopes wants of them. */
export interface ScopeWishes {
  /** Which members of senders count. If several want scopes, the narrowest. */
  readonly accept: NonNullable<MemberReading['accept']>
  /** Tells who has sent a request. If several want scopes, a later answer counts before an earlier one. */
  readonly attributesOf?: ((request: IncomingRequest) => ScopeAttributes | undefined) | undefined
}

/** The scopes of requests, which all copies of this package in a process share. It exists while somebody wants them. */
interface RequestScopes {
  readonly wishes: Set<ScopeWishes>
  readonly scopes: WeakMap<object, Scope>
}

const KEY = Symbol.for('@chaos/adapter.requestScopes')

const shared = (): RequestScopes | undefined => Reflect.get(globalThis, KEY) as RequestScopes | undefined

/** Gives each request a scope, until the returned function is called. */
export function giveScopes(wishes: ScopeWishes): () => void {
  const state: RequestScopes = shared() ?? { wishes: new Set(), scopes: new WeakMap() }
  state.wishes.add(wishes)
  Object.defineProperty(globalThis, KEY, { value: state, configurable: true })
  return () => {
    state.wishes.delete(wishes)
    if (state.wishes.size === 0) Reflect.deleteProperty(globalThis, KEY)
  }
}

/**
 * Does something on behalf of a request: in its scope, which the first who asks opens. Without scopes it is only done.
 *
 * The faults of a server ask too. They decide before the server passes the request on, where no other code could open it.
 */
export function onBehalfOf<Result>(request: ServerRequest, work: () => Result): Result {
  const state = areScopesNeeded() ? shared() : undefined
  if (state === undefined) return work()
  const key = request.stream ?? request
  let scope = state.scopes.get(key)
  if (scope === undefined) state.scopes.set(key, (scope = scopeFor(request, [...state.wishes])))
  return within(scope, work)
}

/** Does something on behalf of the request to which an object belongs, if that has a scope. */
export function onBehalfOfItsRequest<Result>(key: object | undefined, work: () => Result): Result {
  const scope = key === undefined || !areScopesNeeded() ? undefined : shared()?.scopes.get(key)
  return scope === undefined ? work() : within(scope, work)
}

function within<Result>(scope: Scope, work: () => Result): Result {
  for (let current = currentScope(); current !== undefined; current = current.parent)
    if (current === scope) return work()
  return runInScope(scope, work)
}

/** Opens the scope of a request, in that of its caller. */
function scopeFor(request: ServerRequest, wishes: readonly ScopeWishes[]): Scope {
  const { baggage } = request.headers
  const header: unknown = Array.isArray(baggage) ? baggage.join(',') : baggage
  const accept = wishes.some((wish) => wish.accept === 'minted') ? 'minted' : 'any'
  const attributes = wishes.map((wish) => wish.attributesOf?.(request))
  const route = serverRequestName(request)
  return openScope(route, {
    parent: typeof header === 'string' ? scopeOfMember(header, { accept }) : undefined,
    route,
    ...(attributes.some((one) => one !== undefined) && {
      attributes: Object.assign({}, ...attributes) as ScopeAttributes,
    }),
  })
}
