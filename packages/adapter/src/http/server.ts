import type { InjectionContext } from '@chaos/core/authoring'
import type http from 'node:http'
import { holdWhileOpen } from '../operations/while-open.js'
import { onBehalfOf } from './scopes/request-scopes.js'
import type { ActOnRequest } from './request-call.js'
import { isRequestEvent, serverRequestName } from './target.js'

/** The requests that arrive at a server of this process, before its handler gets them. */
export function requestsAtServer(server: http.Server, context: InjectionContext, act: ActOnRequest): void {
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
        if (!isRequestEvent(event)) return proceed()
        return onBehalfOf(request, () => atServer(request, response, proceed))
      },
  )
  const atServer = (request: http.IncomingMessage, response: http.ServerResponse, proceed: () => boolean): boolean => {
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
        holdWhileOpen(response, (leave) =>
          keep({
            proceed: () => {
              leave()
              proceed()
            },
            fail: (error) => {
              leave()
              fail(error)
            },
            answer: ({ statusCode, statusText, headers }, body) => {
              leave()
              // Node.js may have answered by itself, for example to a request that does not arrive in time.
              if (response.headersSent || response.destroyed) return
              // A connection accepts the next request only after this one is read completely.
              request.resume()
              response.writeHead(statusCode, statusText, headers).end(body)
            },
          }),
        )
        return true
      },
    }) as boolean
  }
}
