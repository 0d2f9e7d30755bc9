import type { InjectionContext } from '@chaos/core/authoring'
import http from 'node:http'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Wire } from '../sockets/wire.js'
import type { WriteLine } from '../sockets/write-line.js'
import { onWrites } from '../sockets/writes.js'
import { onBehalfOf } from './scopes/request-scopes.js'
import { awaitClose, Passage, type ActOnResponse } from './passage.js'
import { isRequestEvent, serverRequestName } from './target.js'
import { WriteAhead } from './write-ahead.js'

/** A connection of a server. Pipelined responses own it one after the other. */
interface ServerConnection extends Duplex {
  /** The response that the connection sends at this moment. */
  readonly _httpMessage?: http.ServerResponse | null
}

/** A chosen response of a server. */
interface Chosen {
  /** The method of its request. */
  readonly method: string
  readonly ahead: WriteAhead
  passage?: Passage
}

/** Takes the responses that a server of this process sends. */
export function sentByServer(server: http.Server, context: InjectionContext, act: ActOnResponse): void {
  const chosen = new WeakMap<http.ServerResponse, Chosen>()
  const watch = onWrites(context, (connection: ServerConnection) => {
    const response = connection._httpMessage
    const own = response === null || response === undefined ? undefined : chosen.get(response)
    if (own === undefined) return undefined
    return ({ bytes, done, line }) => {
      const passage = (own.passage ??= new Passage(context, sendingWire(connection, line), act, own.method))
      own.ahead.take(bytes.length, done, (left) => passage.take(bytes, left))
    }
  })
  context.patch(
    http.ServerResponse.prototype,
    'end',
    (below) =>
      function end(this: http.ServerResponse, ...args: unknown[]): unknown {
        const proceed = (): unknown => below.call.apply(this, args)
        const own = chosen.get(this)
        return own === undefined ? proceed() : own.ahead.end(proceed)
      },
  )
  context.patch(
    http.ServerResponse.prototype,
    'writableLength',
    (below) =>
      function writableLength(this: http.ServerResponse): unknown {
        return (below.call.call(this) as number) + (chosen.get(this)?.ahead.unsentBytes ?? 0)
      },
    { getter: true },
  )
  const isChosen = (request: http.IncomingMessage, response: http.ServerResponse): boolean =>
    onBehalfOf(request, () => context.operation(serverRequestName(request)).shouldInject([request, response]))
  const underWay = keptFromIdleClose(server, context)
  context.patch(
    server,
    'emit',
    (below) =>
      function emit(this: http.Server, ...args: unknown[]): boolean {
        const [event, request, response] = args as [string, http.IncomingMessage, http.ServerResponse]
        if (isRequestEvent(event) && isChosen(request, response)) {
          chosen.set(response, { method: request.method ?? '', ahead: new WriteAhead(response) })
          watch(request.socket)
          underWay.add(response)
          awaitClose(context, response, () => underWay.delete(response))
        }
        return below.call.apply(this, args) as boolean
      },
  )
}

/**
 * Keeps the connections of responses from being closed as idle. Node.js takes a connection for idle when its response has
 * been written, but what a fault keeps of it has not.
 *
 * @returns The responses that are under way.
 */
function keptFromIdleClose(server: http.Server, context: InjectionContext): Set<http.ServerResponse> {
  const underWay = new Set<http.ServerResponse>()
  context.patch(
    server,
    'closeIdleConnections',
    (below) =>
      function closeIdleConnections(this: http.Server): unknown {
        const ended = [...underWay].filter((response) => Reflect.get(response, 'finished'))
        for (const response of ended) Reflect.set(response, 'finished', false)
        try {
          return below.call.call(this)
        } finally {
          for (const response of ended) Reflect.set(response, 'finished', true)
        }
      },
  )
  return underWay
}

function sendingWire(connection: Duplex, line: WriteLine): Wire {
  return {
    line: Symbol('response'),
    on: { isGone: () => connection.destroyed },
    connection,
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
