import type { InjectionContext } from '@chaos/core/authoring'
import http from 'node:http'
import net, { type Socket } from 'node:net'
import { awaited } from './passage.js'
import { clientRequestName, isRequestOf, type HttpClient } from './target.js'

/** Reports the connection of each request of the Node.js client as soon as the request gets it. */
export function sentByClient(
  client: HttpClient,
  context: InjectionContext,
  sent: (socket: Socket, isChosen: boolean) => void,
): void {
  context.patch(
    http.ClientRequest.prototype,
    'onSocket',
    (below) =>
      function onSocket(this: http.ClientRequest, ...args: unknown[]): unknown {
        const [socket] = args
        if (socket instanceof net.Socket) {
          const isChosen = isRequestOf(client, this) && context.operation(clientRequestName(this)).shouldInject([this])
          if (isChosen) this.once('close', awaited(context))
          sent(socket, isChosen)
        }
        return below.call.apply(this, args)
      },
  )
}
