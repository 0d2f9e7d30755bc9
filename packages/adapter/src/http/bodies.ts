import type { InjectionContext, Seam } from '@chaos/core/authoring'
import http from 'node:http'
import { memberReplacer } from '../operations/member-replacer.js'
import { whenCalledWith, type BodyPiece, type Change } from './body-piece.js'
import {
  clientRequestName,
  isHttpClient,
  isHttpServer,
  isRequestOf,
  serverRequestName,
  type HttpClient,
  type HttpTarget,
} from './target.js'
import { handledByUndici } from './undici-bodies.js'

/**
 * The pieces of the response bodies of a target, as they arrive. The name of a piece is the name of its request. The
 * fault returns the replacement of a piece.
 */
export const bodySeam: Seam<HttpTarget, BodyPiece, Buffer> = (target, context, change) => {
  if (isHttpServer(target)) sentByServer(target, context, change)
  else if (isHttpClient(target)) receivedByClient(target, context, change)
  else handledByUndici(target, context, change)
}

function receivedByClient(client: HttpClient, context: InjectionContext, change: Change): void {
  context.patch(
    http.IncomingMessage.prototype,
    'push',
    (below) =>
      function push(
        this: http.IncomingMessage & { readonly req?: http.ClientRequest },
        ...args: [chunk: Buffer | null, ...rest: unknown[]]
      ): unknown {
        const [chunk, ...rest] = args
        const request = this.req
        // Only responses to a client of this process have `req`.
        if (
          chunk === null ||
          !(request instanceof http.ClientRequest) ||
          !isRequestOf(client, request) ||
          !context.operation(clientRequestName(request)).shouldInject(args)
        )
          return below.call.apply(this, args)
        return below.call.call(this, change({ bytes: chunk, keepsLength: false }), ...rest)
      },
  )
}

function sentByServer(server: http.Server, context: InjectionContext, change: Change): void {
  const replaceMember = memberReplacer(context)
  context.patch(
    server,
    'emit',
    (below) =>
      function emit(this: http.Server, ...args: unknown[]): boolean {
        const [event, request, response] = args as [
          event: string,
          request: http.IncomingMessage,
          response: http.ServerResponse,
        ]
        const operation = event === 'request' ? context.operation(serverRequestName(request)) : undefined
        if (operation?.covers([request, response]) === true) {
          for (const method of ['write', 'end']) {
            whenCalledWith(replaceMember, response, method, ([chunk, ...rest]) => {
              const isPiece = (typeof chunk === 'string' || chunk instanceof Uint8Array) && chunk.length > 0
              if (!isPiece || !operation.shouldInject([request, response])) return [chunk, ...rest]
              const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encodingIn(rest)) : Buffer.from(chunk)
              return [change({ bytes, keepsLength: response.hasHeader('content-length') }), ...rest]
            })
          }
        }
        return below.call.apply(this, args) as boolean
      },
  )
}

function encodingIn([encoding]: readonly unknown[]): BufferEncoding {
  return typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'
}
