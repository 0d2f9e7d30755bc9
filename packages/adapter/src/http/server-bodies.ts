import type { InjectionContext } from '@chaos/core/authoring'
import http from 'node:http'
import { types } from 'node:util'
import type { Change } from './body-piece.js'
import { onBehalfOf } from './scopes/request-scopes.js'
import { isRequestEvent, serverRequestName } from './target.js'

/**
 * The pieces of bodies that a server of this process sends, as its handlers write them. Responses that are already under
 * way are included.
 */
export function writtenByServer(server: http.Server, context: InjectionContext, change: Change): void {
  const names = new WeakMap<http.ServerResponse, string>()
  context.patch(
    server,
    'emit',
    (below) =>
      function emit(this: http.Server, ...args: unknown[]): unknown {
        const [event, request, response] = args as [string, http.IncomingMessage, http.ServerResponse]
        // Routers may change the URL later.
        if (isRequestEvent(event)) names.set(response, serverRequestName(request))
        return below.call.apply(this, args)
      },
  )
  const nameOf = (response: http.ServerResponse): string | undefined => {
    const known = names.get(response)
    if (known !== undefined || !isOf(server, response)) return known
    const name = serverRequestName(response.req)
    names.set(response, name)
    return name
  }
  const isChosen = (name: string, response: http.ServerResponse): boolean =>
    onBehalfOf(response.req, () => context.operation(name).shouldInject([response.req, response]))
  for (const method of ['write', 'end'] as const)
    context.patch(
      http.ServerResponse.prototype,
      method,
      (below) =>
        function (this: http.ServerResponse, ...args: unknown[]): unknown {
          const [chunk, ...rest] = args
          const name = isPiece(chunk) && !this.writableEnded ? nameOf(this) : undefined
          if (name === undefined || !isPiece(chunk) || !isChosen(name, this)) return below.call.apply(this, args)
          const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encodingIn(rest)) : Buffer.from(chunk)
          return below.call.call(this, change({ bytes, keepsLength: hasLength(this) }), ...rest)
        },
    )
}

function isPiece(chunk: unknown): chunk is string | Uint8Array {
  return (typeof chunk === 'string' || types.isUint8Array(chunk)) && chunk.length > 0
}

function encodingIn([encoding]: readonly unknown[]): BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8'
}

/** Returns whether a response is one of a server. Responses of test doubles may have no connection. */
function isOf(server: http.Server, { req }: http.ServerResponse): boolean {
  const socket: unknown = req.socket
  return typeof socket === 'object' && socket !== null && 'server' in socket && socket.server === server
}

/** A response with its head as it is sent; `null` until it is complete. */
interface RenderedResponse extends http.ServerResponse {
  readonly _header?: string | null
}

/**
 * Returns whether the response announces the length of its body. Headers that were passed to `writeHead` are in the
 * complete head only.
 */
function hasLength(response: RenderedResponse): boolean {
  const head = response._header
  return typeof head === 'string' ? /^content-length:/im.test(head) : response.hasHeader('content-length')
}
