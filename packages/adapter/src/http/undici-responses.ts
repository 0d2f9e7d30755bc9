import type { InjectionContext } from '@chaos/core/authoring'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { memberReplacer, type ReplaceMember } from '../operations/member-replacer.js'
import { dispatcherOf, requestName, type Dispatcher, type RequestOptions, type RequestTarget } from './dispatcher.js'
import { awaited } from './passage.js'

/** The diagnostics channel on which undici publishes that it starts to send a request. */
const SEND_HEADERS = 'undici:client:sendHeaders'

/** Reports the connection of each request of undici as soon as the request is sent on it. */
export function sentByUndici(
  target: RequestTarget,
  context: InjectionContext,
  sent: (socket: Socket, isChosen: boolean) => void,
): void {
  // Undici first calls the handler and then, in the same turn of the event loop, publishes the connection of the
  // request.
  let going = false
  const replaceMember = memberReplacer(context)
  context.patch(
    dispatcherOf(target),
    'dispatch',
    (below) =>
      function dispatch(this: Dispatcher, ...args: [options: RequestOptions, handler: object]): boolean {
        const [, handler] = args
        const name = requestName(args)
        // The methods of a frozen handler cannot be replaced.
        if (name !== undefined && Object.isExtensible(handler) && context.operation(name).shouldInject(args)) {
          const isNew = 'onRequestStart' in handler
          whenCalled(replaceMember, handler, isNew ? 'onRequestStart' : 'onConnect', () => {
            going = true
            queueMicrotask(() => (going = false))
          })
          const isOver = awaited(context)
          for (const method of isNew ? ['onResponseEnd', 'onResponseError'] : ['onComplete', 'onError'])
            whenCalled(replaceMember, handler, method, isOver)
        }
        return below.call.apply(this, args) as boolean
      },
  )
  const onSend = (message: unknown): void => {
    sent((message as { readonly socket: Socket }).socket, going)
    going = false
  }
  subscribe(SEND_HEADERS, onSend)
  context.defer(() => void unsubscribe(SEND_HEADERS, onSend))
}

/** Calls `listener` before each call of a method. */
function whenCalled(replaceMember: ReplaceMember, object: object, method: string, listener: () => void): void {
  replaceMember(
    object,
    method,
    (original) =>
      function (...args) {
        listener()
        return typeof original === 'function' ? (Reflect.apply(original, this, args) as unknown) : undefined
      },
  )
}
