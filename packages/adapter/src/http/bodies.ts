import type { InjectionContext, Seam } from '@chaos/core/authoring'
import http from 'node:http'
import type { BodyPiece, Change } from './body-piece.js'
import { bodiesOfSessions } from './http2-client.js'
import { writtenByServer } from './server-bodies.js'
import {
  clientRequestName,
  isHttp2Client,
  isHttpClient,
  isHttpServer,
  isRequestOf,
  type HttpClient,
  type HttpTarget,
} from './target.js'
import { handledByUndici } from './undici-bodies.js'

/**
 * The pieces of the response bodies of a target, as they arrive. The name of a piece is the name of its request. The
 * fault returns the replacement of a piece.
 */
export const bodySeam: Seam<HttpTarget, BodyPiece, Buffer> = (target, context, change) => {
  if (isHttpServer(target)) writtenByServer(target, context, change)
  else if (isHttp2Client(target)) bodiesOfSessions(context, change)
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
          chunk.length === 0 ||
          !(request instanceof http.ClientRequest) ||
          !isRequestOf(client, request) ||
          !context.operation(clientRequestName(request)).shouldInject(args)
        )
          return below.call.apply(this, args)
        return below.call.call(this, change({ bytes: chunk, keepsLength: false }), ...rest)
      },
  )
}
