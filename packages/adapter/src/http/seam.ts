import type { Below, Held, InjectionContext } from '@chaos/core/authoring'
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
interface RequestCall {
  /** Lets it go on. */
  readonly proceed: () => void
  /** Answers it in the place of the service, which never gets it. */
  readonly answer: (answer: HttpAnswer, body: Buffer) => void
}

/** Takes over a request that was chosen. @returns What is held of it, and forgotten when whoever asks gives up. */
type Affect = (call: RequestCall) => Held

/**
 * Lays a fault over the requests of a target, before the service gets them. An operation is a request; its name is `GET http://127.0.0.1:8080/items` where
 * it is sent, and `GET /items` where it arrives, in both cases without the query.
 */
export function affectRequests(target: HttpTarget, context: InjectionContext, affect: Affect): void {
  if (isHttpServer(target)) affectServer(target, context, affect)
  else if (isHttpClient(target)) affectClient(target, context, affect)
  else context.patch(dispatcherOf(target), 'dispatch', dispatching(context, affect))
}

function dispatching(context: InjectionContext, affect: Affect) {
  return (below: Below) =>
    function dispatch(this: Dispatcher, ...args: [options: RequestOptions, handler: object]): boolean {
      const [, handler] = args
      const name = requestName(args)
      if (name === undefined || !context.operation(name).shouldInject(args))
        return below.call.apply(this, args) as boolean
      const caller = callerOf(handler)
      const proceed = (): void => {
        caller.leave()
        try {
          below.call.apply(this, args)
        } catch (error) {
          caller.fail(error)
        }
      }
      const held = affect({ proceed, answer: (answer, body) => caller.answer(answer, body) })
      caller.start(() => held.drop())
      return true
    }
}

/** A request that its agent tells why it gets no connection. */
interface FailingRequest {
  onSocket(socket: null, error: unknown): void
}

/** Every request of Node.js' client asks an agent for a connection, with `agent: false` one of its own. */
function affectClient(client: HttpClient, context: InjectionContext, affect: Affect): void {
  context.patch(
    http.Agent.prototype,
    'addRequest',
    (below) =>
      function addRequest(this: http.Agent, ...args: [request: http.ClientRequest, ...rest: unknown[]]): unknown {
        const [request] = args
        if (!isRequestOf(client, request) || !context.operation(clientRequestName(request)).shouldInject(args))
          return below.call.apply(this, args)
        let isWaiting = true
        const leaving = (go: () => void) => (): void => {
          if (!isWaiting) return
          isWaiting = false
          Reflect.deleteProperty(request, 'destroy')
          go()
        }
        const held = affect({
          proceed: leaving(() => {
            try {
              below.call.apply(this, args)
            } catch (error) {
              // `http.request` throws it where it is called, but by now has returned.
              ;(request as unknown as FailingRequest).onSocket(null, error)
            }
          }),
          answer: (answer, body) => leaving(() => request.onSocket(new AnsweringSocket(answer, body)))(),
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
        if (isWaiting as boolean)
          Object.defineProperty(request, 'destroy', { value, writable: true, configurable: true })
        return undefined
      },
  )
}

function affectServer(server: http.Server, context: InjectionContext, affect: Affect): void {
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
        if (event !== 'request' || !context.operation(serverRequestName(request)).shouldInject([request, response]))
          return below.call.apply(this, args) as boolean
        const held = affect({
          proceed: () => void below.call.apply(this, args),
          answer: ({ statusCode, statusText, headers }, body) => {
            // A connection whose request was not read to its end cannot take the next one.
            request.resume()
            response.writeHead(statusCode, statusText, headers).end(body)
          },
        })
        response.once('close', () => held.drop())
        return true
      },
  )
}
