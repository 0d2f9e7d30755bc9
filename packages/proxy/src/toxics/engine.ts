import type { Toxic } from './toxic.js'
import { proxyKind } from './proxy-kind.js'

/** By which faults reach the engine of a proxy, also of a proxy that another copy of this package has made. */
export const ENGINE: unique symbol = Symbol.for('@chaos/proxy/engine@1') as never

/** What faults ask of a proxy. */
export interface Engine {
  /** Puts a toxic in force, on live connections too. At once, if the proxy is in this thread. */
  readonly add: (toxic: Toxic) => void | Promise<void>
  /** Ends a toxic. What it holds goes on, as its kind demands. At once, if the proxy is in this thread. */
  readonly remove: (toxic: Toxic) => void | Promise<void>
}

/** What the faults of this package break: a proxy, made by `createProxy`. */
export interface ProxyTarget {
  readonly [ENGINE]: Engine
}

/** Accepts proxies. */
export const proxyTarget = proxyKind<ProxyTarget>(ENGINE)
