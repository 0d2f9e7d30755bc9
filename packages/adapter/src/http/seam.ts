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

/** What is left of a request while it waits. */
interface RestOfRequest extends RestOfOperation {
  /** Answers it in the place of the service, which never gets it. */
  readonly answer: (answer: HttpAnswer, body: Buffer) => void
}

type Act = (call: RequestCall) => unknown

/**
 * The requests of a target, before the service gets them. The name of one is `GET http://127.0.0.1:8080/items` where it is sent, and `GET /items` where
 * it arrives, in both cases without the query. What is held of one is forgotten when whoever asks gives up.
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

/** A request that its agent tells why it gets no connection. */
interface FailingRequest {
  onSocket(socket: null, error: unknown): void
}

/** Every request of Node.js' client asks an agent for a connection, with `agent: false` one of its own. */
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
          // `http.request` throws it where it is called, but by now has returned.
          fail(error)
        }
      }),
      fail: leaving(fail),
      answer: leaving((answer: HttpAnswer, body: Buffer) => request.onSocket(new AnsweringSocket(answer, body))),
    })
    // A request without a connection tells nobody that it was destroyed until it gets one, or hears that it gets none.
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
                // A connection whose request was not read to its end cannot take the next one.
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
