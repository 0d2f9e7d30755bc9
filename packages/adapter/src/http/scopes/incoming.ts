import type { InjectionContext } from '@chaos/core/authoring'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { Duplex } from 'node:stream'
import { giveScopes, onBehalfOf, onBehalfOfItsRequest, type ScopeWishes, type ServerRequest } from './request-scopes.js'

/** The events with which a server hands over a request, or its connection. */
const EVENTS: ReadonlySet<unknown> = new Set(['request', 'checkContinue', 'checkExpectation', 'upgrade', 'connect'])

/** Gives each request that a server of this process gets a scope, in which its handlers run. */
export function scopesOfIncoming(context: InjectionContext, wishes: ScopeWishes): void {
  const leave = giveScopes(wishes)
  context.defer(leave)
  const met = new WeakSet()
  /** Streams of HTTP/2 have a class that Node.js does not export. */
  const meetStream = (stream: object): void => {
    const prototype = Object.getPrototypeOf(stream) as object
    if (met.has(prototype) || context.signal.aborted) return
    met.add(prototype)
    carryEvents(context, prototype, (self) => self)
  }
  context.patch(
    // Every server inherits from it: of HTTP, HTTPS and HTTP/2.
    net.Server.prototype,
    'emit',
    (below) =>
      function emit(this: net.Server, ...args: unknown[]): unknown {
        const request = requestIn(args)
        if (request === undefined) return below.call.apply(this, args)
        if (request.stream !== undefined) meetStream(request.stream)
        return onBehalfOf(request, () => below.call.apply(this, args) as unknown)
      },
  )
  // Node.js emits these where it reads the connection, which is done on behalf of nobody.
  carryEvents(context, http.IncomingMessage.prototype, (self) => self)
  carryEvents(context, http.ServerResponse.prototype, (self) => Reflect.get(self, 'req') as object | undefined)
  for (const { prototype } of [http2.Http2ServerRequest, http2.Http2ServerResponse])
    carryEvents(context, prototype, (self) => Reflect.get(self, 'stream') as object | undefined)
}

/** Has the events of a request or response emitted in the scope of the request. */
function carryEvents(context: InjectionContext, prototype: object, keyOf: (self: object) => object | undefined): void {
  context.patch(
    prototype,
    'emit',
    (below) =>
      function emit(this: object, ...args: unknown[]): unknown {
        return onBehalfOfItsRequest(keyOf(this), () => below.call.apply(this, args) as unknown)
      },
  )
}

/** Returns whether a value is a stream of an HTTP/2 server. Servers of other protocols may emit events of the same name. */
function isServerStream(value: unknown): value is Duplex {
  return value instanceof Duplex && 'pushStream' in value && 'respond' in value
}

/** Returns the request that an event of a server hands over. */
function requestIn([event, first, second]: readonly unknown[]): ServerRequest | undefined {
  if (EVENTS.has(event))
    return first instanceof http.IncomingMessage || first instanceof http2.Http2ServerRequest ? first : undefined
  if (event !== 'stream' || !isServerStream(first)) return undefined
  const headers = (second ?? {}) as http2.IncomingHttpHeaders
  return { stream: first, headers, method: headers[':method'] ?? '', url: headers[':path'] ?? '' }
}
