import type { InjectionContext } from '@chaos/core/authoring'
import type { ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { awaited } from './passage.js'
import { requestName, type RequestTarget } from './undici/dispatcher.js'
import { followRequests, type UndiciRequest } from './undici/requests.js'

/**
 * Reports the connection of each request of undici as soon as the request is sent on it, with the method of a chosen
 * one, and the stream of each chosen request over HTTP/2.
 */
export function sentByUndici(
  target: RequestTarget,
  context: InjectionContext,
  sent: (socket: Socket, method: string | undefined) => void,
  started: (stream: ClientHttp2Stream) => void,
): void {
  const open = new Map<UndiciRequest, () => void>()
  const isChosen = (request: UndiciRequest): boolean => {
    const name = requestName(request)
    return name !== undefined && context.operation(name).shouldInject([request])
  }
  followRequests(target, context, {
    sent(request, socket) {
      const isTaken = isChosen(request)
      if (isTaken) open.set(request, awaited(context))
      sent(socket, isTaken ? request.method : undefined)
    },
    starting(request, { send }) {
      const isTaken = isChosen(request)
      const stream = send()
      if (isTaken) started(stream)
      return stream
    },
    over(request) {
      open.get(request)?.()
      open.delete(request)
    },
  })
}
