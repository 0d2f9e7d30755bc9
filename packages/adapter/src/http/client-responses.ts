import type { InjectionContext } from '@chaos/core/authoring'
import type http from 'node:http'
import { Duplex } from 'node:stream'
import { awaitClose } from './passage.js'
import { patchOnSocket } from './on-socket.js'
import { clientRequestName, isRequestOf, type HttpClient } from './target.js'

/** Reports the connection of each request of the Node.js client as soon as the request gets it. */
export function sentByClient(
  client: HttpClient,
  context: InjectionContext,
  sent: (connection: Duplex, method: string | undefined) => void,
): void {
  patchOnSocket(
    context,
    (below) =>
      function onSocket(this: http.ClientRequest, ...args: unknown[]): unknown {
        const [connection] = args
        if (connection instanceof Duplex) {
          const isChosen = isRequestOf(client, this) && context.operation(clientRequestName(this)).shouldInject([this])
          if (isChosen) awaitClose(context, this)
          sent(connection, isChosen ? this.method : undefined)
        }
        return below.call.apply(this, args)
      },
  )
}
