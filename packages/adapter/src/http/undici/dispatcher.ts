import { runInThisContext } from 'node:vm'
import { isMock } from './mock-dispatcher.js'

/**
 * A sender of requests: a dispatcher of undici (`Agent`, `Pool`, `Client`), or `globalThis` for the built-in `fetch`,
 * and with it every request of undici in the process.
 */
export type RequestTarget = Dispatcher | typeof globalThis

/** The description of a {@link RequestTarget} in messages. */
export const REQUEST_TARGET = '`globalThis` (for the built-in `fetch`) or a dispatcher of undici'

/** A dispatcher of any version of undici. */
export interface Dispatcher {
  dispatch: (options: never, handler: never) => boolean
}

/** The arguments of `dispatch`. */
export type Dispatched = [options: RequestOptions, handler: object]

/** The request that a dispatcher sends. */
interface RequestOptions {
  readonly origin?: string | URL
  readonly path: string
  readonly method: string
}

/** Returns whether a value is a {@link RequestTarget}. */
export function isRequestTarget(value: unknown): value is RequestTarget {
  return (
    typeof value === 'object' &&
    value !== null &&
    (isGlobal(value) || ('dispatch' in value && typeof value.dispatch === 'function'))
  )
}

/** Returns whether a target is the global object of any realm: of Node.js, of a `node:vm` context or of a Jest test. */
export function isGlobal(target: object): target is typeof globalThis {
  return target === globalThis || ('globalThis' in target && target.globalThis === target)
}

/**
 * Returns the dispatcher that requests without one of their own go through.
 *
 * Node.js stores it on the global object of its own realm, under a symbol that names the version of undici's handler
 * interface, and makes it on first use of `fetch` or `Request`. A sandbox such as that of Jest has `fetch` of that
 * realm, but not the symbol.
 */
export function globalDispatcher(): Dispatcher | undefined {
  const realm = runInThisContext('globalThis') as object
  Reflect.get(realm, 'Request')
  const isNew = Number.parseInt(process.versions['undici'] ?? '', 10) >= 8
  const dispatcher: unknown = Reflect.get(realm, Symbol.for(`undici.globalDispatcher.${isNew ? 2 : 1}`))
  return typeof dispatcher === 'object' && dispatcher !== null ? (dispatcher as Dispatcher) : undefined
}

/**
 * Returns the key of the method in which a dispatcher starts requests, beneath the interceptors that `compose` put over
 * it before. `undefined` for dispatchers that hand their requests to another one, and for mocks.
 *
 * undici 5 and 6 keep what their `[dispatch]` is at the first request, and call what they kept from then on. A layer over
 * `[dispatch]` would be bypassed after the first request, and kept for good if it was there before. For them, the key is
 * that of the kept method. This function lets the dispatcher keep it now if it has had no request yet.
 */
export function innerDispatchOf(dispatcher: object): symbol | undefined {
  if (isMock(dispatcher)) return undefined
  const inner = symbolOf(dispatcher, 'dispatch')
  const kept = symbolOf(dispatcher, 'Intercepted Dispatch')
  if (inner === undefined || kept === undefined) return inner
  if (!Object.hasOwn(dispatcher, kept)) Reflect.set(dispatcher, kept, intercepted(dispatcher, inner))
  return kept
}

/** Returns what undici 5 and 6 keep at the first request: `[dispatch]` beneath the dispatcher's own interceptors. */
function intercepted(dispatcher: object, inner: symbol): unknown {
  const dispatch = Reflect.get(dispatcher, inner) as (...args: unknown[]) => unknown
  const interceptors: unknown = Reflect.get(dispatcher, 'interceptors')
  if (!Array.isArray(interceptors) || interceptors.length === 0) return dispatch
  return (interceptors as ((next: unknown) => unknown)[]).reduceRight(
    (next: unknown, interceptor) => interceptor(next),
    dispatch.bind(dispatcher),
  )
}

/** Returns the symbol with a description among the keys of an object and of its prototypes. */
function symbolOf(object: object, name: string): symbol | undefined {
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    const key = Object.getOwnPropertySymbols(holder).find(({ description }) => description === name)
    if (key !== undefined) return key
  }
  return undefined
}

/**
 * Returns the operation name of a request: `GET http://127.0.0.1:8080/items`, without the query.
 *
 * @param request The first argument of `dispatch`, or a request that undici made of it.
 * @returns `undefined` for a request that undici itself rejects with its own error.
 */
export function requestName(request: unknown): string | undefined {
  try {
    const { origin = '', path, method } = request as RequestOptions
    const target = path.replace(/[?#].*$/s, '')
    // A proxy gets the whole URL as path.
    const isWhole = /^https?:\/\//.test(target)
    return `${method} ${isWhole ? '' : String(origin).replace(/\/$/, '')}${target}`
  } catch {
    return undefined
  }
}
