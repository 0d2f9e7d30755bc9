import type { InjectionContext } from '@chaos/core/authoring'
import http from 'node:http'
import type { HttpAnswer } from '../errors/http.js'
import { AnsweringSocket } from './answering-socket.js'
import type { ActOnRequest, RequestCall } from './request-call.js'
import { clientRequestName, isRequestOf, type HttpClient } from './target.js'

/** The internal method by which an agent reports to a request that it gets no connection. */
interface FailingRequest {
  onSocket(socket: null, error: unknown): void
}

/** Every request of the Node.js client asks an agent for a connection; with `agent: false`, an agent of its own. */
export function requestsOfClient(client: HttpClient, context: InjectionContext, act: ActOnRequest): void {
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
