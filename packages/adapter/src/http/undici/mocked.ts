import type { Below, InjectionContext } from '@chaos/core/authoring'
import type { ActOnRequest } from '../request-call.js'
import { requestName, type Dispatched, type Dispatcher } from './dispatcher.js'
import { callerOf } from './caller.js'

/** Requests to a dispatcher that sends nothing (a mock of undici), where it gets them. */
export function requestsOfMock(dispatcher: Dispatcher, context: InjectionContext, act: ActOnRequest): void {
  context.patch(dispatcher, 'dispatch', dispatching(context, act))
}

function dispatching(context: InjectionContext, act: ActOnRequest) {
  return (below: Below) =>
    function dispatch(this: Dispatcher, ...args: Dispatched): boolean {
      const [options, handler] = args
      const name = isObject(handler) ? requestName(options) : undefined
      const proceed = (): boolean => below.call.apply(this, args) as boolean
      if (name === undefined || !context.operation(name).shouldInject(args)) return proceed()
      const caller = callerOf(handler, options.method)
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

/** A caller may pass anything, which the dispatcher rejects with its own error. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
