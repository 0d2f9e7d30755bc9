import type { Below, InjectionContext, Seam } from '@chaos/core/authoring'
import { callerOf, dispatcherOf, requestName, type Dispatcher, type RequestOptions } from './dispatcher.js'
import { answersOfClient, requestsOfClient } from './node-client.js'
import type { ActOnRequest, AnswerCall, RequestCall } from './request-call.js'
import { requestsAtServer } from './server.js'
import { isHttpClient, isHttpServer, type HttpTarget } from './target.js'

/**
 * The requests of a target, before the service gets them. The name of a request is `GET http://127.0.0.1:8080/items` at
 * a client and `GET /items` at a server, without the query. A held request is dropped when its caller gives up.
 */
export const requestSeam: Seam<HttpTarget, RequestCall> = (target, context, act) => {
  if (isHttpServer(target)) requestsAtServer(target, context, act)
  else if (isHttpClient(target)) requestsOfClient(target, context, act)
  else context.patch(dispatcherOf(target), 'dispatch', dispatching(context, act))
}

/** The requests that a fault answers. They have the names of those in {@link requestSeam}. */
export const answerSeam: Seam<HttpTarget, AnswerCall> = (target, context, act) => {
  if (isHttpServer(target)) requestsAtServer(target, context, act)
  else if (isHttpClient(target)) answersOfClient(target, context, act)
  else context.patch(dispatcherOf(target), 'dispatch', dispatching(context, act))
}

function dispatching(context: InjectionContext, act: ActOnRequest) {
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
