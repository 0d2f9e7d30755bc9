import { proxyKind } from '../../toxics/proxy-kind.js'
import type { DatagramToxic } from './datagram-toxic.js'

/** By which faults reach the engine of a UDP proxy, also of a proxy that another copy of this package has made. */
export const UDP_ENGINE: unique symbol = Symbol.for('@chaos/proxy/udp-engine@1') as never

/** What faults ask of a UDP proxy. */
export interface UdpEngine {
  /** Puts a toxic in force. */
  readonly add: (toxic: DatagramToxic) => void
  /** Ends a toxic, which holds nothing any more. */
  readonly remove: (toxic: DatagramToxic) => void
}

/** What faults on datagrams break: a UDP proxy, made by `createUdpProxy`. */
export interface UdpProxyTarget {
  readonly [UDP_ENGINE]: UdpEngine
}

/** Accepts UDP proxies. */
export const udpProxyTarget = proxyKind<UdpProxyTarget>(UDP_ENGINE)
