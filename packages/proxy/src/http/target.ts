import type { InjectionContext } from '@chaos/core/authoring'
import { RequestFault, type RequestBehaviour } from './request-fault.js'
import { proxyKind } from '../toxics/proxy-kind.js'

/** By which faults reach the engine of an HTTP proxy, also of one that another copy of this package has made. */
export const HTTP_ENGINE: unique symbol = Symbol.for('@chaos/proxy/http-engine@1') as never

/** What faults ask of an HTTP proxy. */
export interface HttpEngine {
  /** Puts a fault in force, for the requests that come from now on. */
  readonly add: (fault: RequestFault) => void
  /** Ends a fault. What it holds goes on. */
  readonly remove: (fault: RequestFault) => void
}

/** What the HTTP faults of this package break: an HTTP proxy, made by `createHttpProxy`. */
export interface HttpProxyTarget {
  readonly [HTTP_ENGINE]: HttpEngine
}

/** Accepts HTTP proxies. */
export const httpProxyTarget = proxyKind<HttpProxyTarget>(HTTP_ENGINE)

/** Puts a fault in force on an HTTP proxy, until the injection ends. */
export function affectRequests<Options extends object>(
  proxy: HttpProxyTarget,
  name: string,
  options: Options,
  context: InjectionContext,
  behaviour: RequestBehaviour<Options>,
): void {
  const engine = proxy[HTTP_ENGINE]
  const fault = new RequestFault(name, options, context, behaviour as RequestBehaviour<object>)
  context.defer(() => engine.remove(fault))
  engine.add(fault)
}
