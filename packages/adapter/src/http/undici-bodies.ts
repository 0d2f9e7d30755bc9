import type { InjectionContext } from '@chaos/core/authoring'
import { memberReplacer, type Method, type ReplaceMember } from '../operations/member-replacer.js'
import type { Change } from './body-piece.js'
import { requestName, type RequestTarget } from './undici/dispatcher.js'
import { followRequests, type UndiciRequest } from './undici/requests.js'

/** The pieces of bodies that undici passes to the handlers of requests. */
export function handledByUndici(target: RequestTarget, context: InjectionContext, change: Change): void {
  const replaceMember = memberReplacer(context)
  const watch = (request: UndiciRequest): void => {
    const name = requestName(request)
    const operation = name === undefined ? undefined : context.operation(name)
    if (operation?.covers([request]) !== true) return
    const method = 'onResponseData' in request ? 'onResponseData' : 'onData'
    whenCalledWith(replaceMember, request, method, (given) =>
      given.map((value) =>
        Buffer.isBuffer(value) && value.length > 0 && operation.shouldInject([value])
          ? change({ bytes: value, keepsLength: false })
          : value,
      ),
    )
  }
  followRequests(target, context, {
    sent: watch,
    starting(request, { send }) {
      watch(request)
      return send()
    },
  })
}

/** Replaces a method of an object by one that changes the arguments first. */
function whenCalledWith(
  replaceMember: ReplaceMember,
  object: object,
  method: string,
  changed: (args: unknown[]) => unknown[],
): void {
  if (typeof Reflect.get(object, method) !== 'function') return
  replaceMember(
    object,
    method,
    (original) =>
      function (...args) {
        return Reflect.apply(original as Method, this, changed(args))
      },
  )
}
