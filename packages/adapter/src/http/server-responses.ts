import type { InjectionContext } from '@chaos/core/authoring'
import type http from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Wire } from '../sockets/wire.js'
import type { WriteLine } from '../sockets/write-line.js'
import { onWrites } from '../sockets/writes.js'
import { awaitClose, Passage, type ActOnResponse } from './passage.js'
import { isRequestEvent, serverRequestName } from './target.js'

/** A connection of a server. Pipelined responses own it one after the other. */
interface ServerConnection extends Duplex {
  /** The response that the connection sends at this moment. */
  readonly _httpMessage?: http.ServerResponse | null
}

/** Takes the responses that a server of this process sends. */
export function sentByServer(server: http.Server, context: InjectionContext, act: ActOnResponse): void {
  /** The methods of the requests whose responses are chosen. */
  const chosen = new WeakMap<http.ServerResponse, string>()
  const passages = new WeakMap<http.ServerResponse, Passage>()
  const watch = onWrites(context, (connection: ServerConnection) => {
    const response = connection._httpMessage
    const method = response === null || response === undefined ? undefined : chosen.get(response)
    if (!response || method === undefined) return undefined
    return ({ bytes, done, line }) => {
      let passage = passages.get(response)
      if (passage === undefined)
        passages.set(response, (passage = new Passage(context, sendingWire(connection, line), act, method)))
      passage.take(bytes, done)
    }
  })
  context.patch(
    server,
    'emit',
    (below) =>
      function emit(this: http.Server, ...args: unknown[]): boolean {
        const [event, request, response] = args as [string, http.IncomingMessage, http.ServerResponse]
        if (isRequestEvent(event) && context.operation(serverRequestName(request)).shouldInject([request, response])) {
          chosen.set(response, request.method ?? '')
          watch(request.socket)
          awaitClose(context, response)
        }
        return below.call.apply(this, args) as boolean
      },
  )
}

function sendingWire(connection: Duplex, line: WriteLine): Wire {
  return {
    line: Symbol('response'),
    on: { isGone: () => connection.destroyed },
    deliver: (bytes, done = () => undefined) => line.add(bytes, done),
    cut(how) {
      const tcp = connectionOf(connection)
      if (how === 'reset' && tcp instanceof net.Socket) tcp.resetAndDestroy()
      else connection.destroy()
    },
  }
}

/** Returns the TCP connection beneath TLS, since only that can be reset. */
function connectionOf(connection: Duplex): Duplex {
  const parent: unknown = connection instanceof TLSSocket ? Reflect.get(connection, '_parent') : undefined
  return parent instanceof net.Socket ? parent : connection
}
