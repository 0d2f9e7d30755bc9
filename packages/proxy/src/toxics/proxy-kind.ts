import type { TargetKind } from '@chaos/core/authoring'

/** The kinds of proxies, by the property by which faults reach their engines. */
const KINDS: ReadonlyMap<symbol, string> = new Map([
  [Symbol.for('@chaos/proxy/engine@1'), 'a TCP proxy, made by `createProxy`'],
  [Symbol.for('@chaos/proxy/udp-engine@1'), 'a UDP proxy, made by `createUdpProxy`'],
  [Symbol.for('@chaos/proxy/http-engine@1'), 'an HTTP proxy, made by `createHttpProxy`'],
])

/** Accepts proxies of one kind, and names the others. @param engine The property by which faults reach the engine of such a proxy. */
export function proxyKind<Target>(engine: symbol): TargetKind<Target> {
  return {
    expects: KINDS.get(engine) ?? 'a proxy',
    accepts: (value) => has(value, engine),
    describe: (value) => [...KINDS].find(([other]) => has(value, other))?.[1],
  }
}

function has(value: unknown, engine: symbol): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, engine) === 'object'
}
