import type { InjectionContext } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import { awaited } from './passage.js'
import { requestName, type RequestTarget } from './undici/dispatcher.js'
import { followRequests, type UndiciRequest } from './undici/requests.js'

/** Reports the connection of each request of undici as soon as the request is sent on it. */
export function sentByUndici(
  target: RequestTarget,
  context: InjectionContext,
  sent: (socket: Socket, isChosen: boolean) => void,
): void {
  const open = new Map<UndiciRequest, () => void>()
  followRequests(target, context, {
    sent(request, socket) {
      const name = requestName(request)
      const isChosen = name !== undefined && context.operation(name).shouldInject([request])
      if (isChosen) open.set(request, awaited(context))
      sent(socket, isChosen)
    },
    over(request) {
      open.get(request)?.()
      open.delete(request)
    },
  })
}
