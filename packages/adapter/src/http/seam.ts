import type { Below, Held, InjectionContext, RestOfOperation, Seam, SeamOperation } from '@chaos/core/authoring'
import http from 'node:http'
import type { HttpAnswer } from '../errors/http.js'
import { AnsweringSocket } from './answering-socket.js'
import { callerOf, dispatcherOf, requestName, type Dispatcher, type RequestOptions } from './dispatcher.js'
import {
  clientRequestName,
  isHttpClient,
  isHttpServer,
  isRequestOf,
  serverRequestName,
  type HttpClient,
  type HttpTarget,
} from './target.js'

/** A request that has not reached the service. */
export interface RequestCall extends SeamOperation {
  readonly later: (keep: (rest: RestOfRequest) => Held) => unknown
}

/** The ways to continue a held request. */
interface RestOfRequest extends RestOfOperation {
  /** Answers the request in place of the service, which never gets it. */
  readonly answer: (answer: HttpAnswer, body: Buffer) => void
}

type Act = (call: RequestCall) => unknown

/**
 * The requests of a target, before the service gets them. The name of a request is `GET http://127.0.0.1:8080/items` at
 * a client and `GET /items` at a server, without the query. A held request is dropped when its caller gives up.
 */
export const requestSeam: Seam<HttpTarget, RequestCall> = (target, context, act) => {
  if (isHttpServer(target)) atServer(target, context, act)
  else if (isHttpClient(target)) atClient(target, context, act)
  else context.patch(dispatcherOf(target), 'dispatch', dispatching(context, act))
}

function dispatching(context: InjectionContext, act: Act) {
  return (below: Below) =>
    function dispatch(this: Dispatcher, ...args: [options: RequestOptions, handler: object]): boolean {
      const [, handler] = args
      const name = requestName(args)
      const proceed = (): boolean => below.call.apply(this, args) as boolean
      if (name === undefined || !context.operation(name).shouldInject(args)) return proceed()
      const caller = callerOf(handler)
      const fail = (error: unknown): void => {
        caller.leave()
        caller.fail(error)
      }
      const goOn = (): void => {
        caller.leave()
        try {
          proceed()
        } catch (error) {
          caller.fail(error)
        }
      }
      return act({
        name,
        args,
        proceed,
        fail(error) {
          fail(error)
          return true
        },
        later(keep) {
          const held = keep({ proceed: goOn, fail, answer: (answer, body) => caller.answer(answer, body) })
          caller.start(() => held.drop())
          return true
        },
      }) as boolean
    }
}

/** The internal method by which an agent reports to a request that it gets no connection. */
interface FailingRequest {
  onSocket(socket: null, error: unknown): void
}

/** Every request of the Node.js client asks an agent for a connection; with `agent: false`, an agent of its own. */
function atClient(client: HttpClient, context: InjectionContext, act: Act): void {
  context.patch(
    http.Agent.prototype,
    'addRequest',
    (below) =>
      function addRequest(this: http.Agent, ...args: [request: http.ClientRequest, ...rest: unknown[]]): unknown {
        const [request] = args
        const name = isRequestOf(client, request) ? clientRequestName(request) : undefined
        const proceed = (): unknown => below.call.apply(this, args)
        if (name === undefined || !context.operation(name).shouldInject(args)) return proceed()
        const fail = (error: unknown): void => (request as unknown as FailingRequest).onSocket(null, error)
        return act({ name, args, proceed, fail, later: waitingOf(request, proceed, fail) })
      },
  )
}

function waitingOf(
  request: http.ClientRequest,
  proceed: () => unknown,
  fail: (error: unknown) => void,
): RequestCall['later'] {
  return (keep) => {
    let isWaiting = true
    const leaving =
      <Args extends readonly unknown[]>(go: (...args: Args) => void) =>
      (...args: Args): void => {
        if (!isWaiting) return
        isWaiting = false
        Reflect.deleteProperty(request, 'destroy')
        go(...args)
      }
    const held = keep({
      proceed: leaving(() => {
        try {
          proceed()
        } catch (error) {
          // `http.request` would throw this error to its caller, but has returned by now.
          fail(error)
        }
      }),
      fail: leaving(fail),
      answer: leaving((answer: HttpAnswer, body: Buffer) => request.onSocket(new AnsweringSocket(answer, body))),
    })
    // A destroyed request without a connection emits nothing until its agent calls `onSocket`.
    const destroy = request.destroy.bind(request)
    const value = (...given: [error?: Error]): http.ClientRequest => {
      destroy(...given)
      leaving(() => {
        held.drop()
        request.onSocket(null as never)
      })()
      return request
    }
    if (isWaiting as boolean) Object.defineProperty(request, 'destroy', { value, writable: true, configurable: true })
    return undefined
  }
}

function atServer(server: http.Server, context: InjectionContext, act: Act): void {
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
        const proceed = (): boolean => below.call.apply(this, args) as boolean
        if (event !== 'request') return proceed()
        const name = serverRequestName(request)
        if (!context.operation(name).shouldInject([request, response])) return proceed()
        const fail = (error: Error): void => void response.destroy(error)
        return act({
          name,
          args: [request, response],
          proceed,
          fail(error) {
            fail(error)
            return true
          },
          later(keep) {
            const held = keep({
              proceed: () => void proceed(),
              fail,
              answer: ({ statusCode, statusText, headers }, body) => {
                // A connection accepts the next request only after this one is read completely.
                request.resume()
                response.writeHead(statusCode, statusText, headers).end(body)
              },
            })
            response.once('close', () => held.drop())
            return true
          },
        }) as boolean
      },
  )
}
