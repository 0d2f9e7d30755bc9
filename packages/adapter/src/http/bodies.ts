import type { InjectionContext, Seam } from '@chaos/core/authoring'
import http from 'node:http'
import { covering, type LayOver, type Method } from '../operations/covering.js'
import { dispatcherOf, requestName, type Dispatcher, type RequestOptions, type RequestTarget } from './dispatcher.js'
import {
  clientRequestName,
  isHttpClient,
  isHttpServer,
  isRequestOf,
  serverRequestName,
  type HttpClient,
  type HttpTarget,
} from './target.js'

/** A piece of a body, framing taken off. */
export interface BodyPiece {
  readonly bytes: Buffer
  /** Whether the length of the body has been announced, so that what takes its place must be as long. */
  readonly keepsLength: boolean
}

type Change = (piece: BodyPiece) => Buffer

/** The pieces of bodies that a target answers with, as they come. The name of one is that of the request. A fault says what comes in its place. */
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
        // Only what a client of this process gets has its request at hand.
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

function handledByUndici(target: RequestTarget, context: InjectionContext, change: Change): void {
  const layOver = covering(context)
  context.patch(
    dispatcherOf(target),
    'dispatch',
    (below) =>
      function dispatch(this: Dispatcher, ...args: [options: RequestOptions, handler: object]): boolean {
        const [, handler] = args
        const name = requestName(args)
        // Over the methods of a frozen handler nothing can be laid.
        const operation = name === undefined || !Object.isExtensible(handler) ? undefined : context.operation(name)
        if (operation?.covers(args) === true) {
          const [method, at] = 'onResponseData' in handler ? ['onResponseData', 1] : ['onData', 0]
          whenCalledWith(layOver, handler, method, (given) =>
            given.map((value, index) =>
              index === at && Buffer.isBuffer(value) && operation.shouldInject([value])
                ? change({ bytes: value, keepsLength: false })
                : value,
            ),
          )
        }
        return below.call.apply(this, args) as boolean
      },
  )
}

/** Lays a function over a method of an object that changes its arguments. */
function whenCalledWith(
  layOver: LayOver,
  object: object,
  method: string,
  changed: (args: unknown[]) => unknown[],
): void {
  if (typeof Reflect.get(object, method) !== 'function') return
  layOver(
    object,
    method,
    (original) =>
      function (...args) {
        return Reflect.apply(original as Method, this, changed(args))
      },
  )
}

function sentByServer(server: http.Server, context: InjectionContext, change: Change): void {
  const layOver = covering(context)
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
            whenCalledWith(layOver, response, method, ([chunk, ...rest]) => {
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
