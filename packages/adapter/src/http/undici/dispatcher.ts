import type { InjectionContext } from '@chaos/core/authoring'
import { runInThisContext } from 'node:vm'
import { hiddenKey } from '../../sockets/hidden.js'
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

/** The symbols under which versions of undici keep the dispatcher of requests without one of their own. */
const GLOBAL_KEYS: ReadonlySet<unknown> = new Set(
  [1, 2].map((version) => Symbol.for(`undici.globalDispatcher.${version}`)),
)

/**
 * Returns the dispatchers that requests without one of their own go through.
 *
 * Node.js stores its own on the global object of its own realm, and makes it on first use of `fetch` or `Request`. A
 * sandbox such as that of Jest has `fetch` of that realm, but stores the dispatcher of a copy of undici that it loads.
 */
export function globalDispatchers(global: typeof globalThis): ReadonlySet<Dispatcher> {
  const realm = ownRealm()
  Reflect.get(realm, 'Request')
  const kept = [realm, global].flatMap((holder) =>
    [...GLOBAL_KEYS].map((key): unknown => Reflect.get(holder, key as symbol)),
  )
  return new Set(kept.filter((value): value is Dispatcher => typeof value === 'object' && value !== null))
}

/**
 * Calls a function whenever a global dispatcher has been set. All versions of undici set it by `Object.defineProperty`; the
 * property itself cannot be watched.
 */
export function onGlobalDispatcher(global: typeof globalThis, context: InjectionContext, onSet: () => void): void {
  const constructors = new Set([ownRealm(), global].map((realm): unknown => Reflect.get(realm, 'Object')))
  for (const constructor of constructors)
    // With frozen intrinsics it cannot be patched.
    if (typeof constructor === 'function' && !Object.isFrozen(constructor))
      context.patch(
        constructor,
        'defineProperty',
        (below) =>
          function defineProperty(this: unknown, ...args: unknown[]): unknown {
            const result: unknown = below.call.apply(this, args)
            if (GLOBAL_KEYS.has(args[1])) onSet()
            return result
          },
      )
}

function ownRealm(): object {
  return runInThisContext('globalThis') as object
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
  const inner = hiddenKey(dispatcher, 'dispatch')
  const kept = hiddenKey(dispatcher, 'Intercepted Dispatch')
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
