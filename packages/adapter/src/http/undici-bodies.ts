import type { InjectionContext } from '@chaos/core/authoring'
import { memberReplacer, type Method, type ReplaceMember } from '../operations/member-replacer.js'
import type { Change } from './body-piece.js'
import { dispatcherOf, requestName, type Dispatcher, type RequestOptions, type RequestTarget } from './dispatcher.js'

/** The pieces of bodies that undici passes to the handlers of requests. */
export function handledByUndici(target: RequestTarget, context: InjectionContext, change: Change): void {
  const replaceMember = memberReplacer(context)
  context.patch(
    dispatcherOf(target),
    'dispatch',
    (below) =>
      function dispatch(this: Dispatcher, ...args: [options: RequestOptions, handler: object]): boolean {
        const [, handler] = args
        const name = requestName(args)
        // The methods of a frozen handler cannot be replaced.
        const operation = name === undefined || !Object.isExtensible(handler) ? undefined : context.operation(name)
        if (operation?.covers(args) === true) {
          const [method, at] = 'onResponseData' in handler ? ['onResponseData', 1] : ['onData', 0]
          whenCalledWith(replaceMember, handler, method, (given) =>
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
