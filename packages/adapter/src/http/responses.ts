import type { InjectionContext, Seam } from '@chaos/core/authoring'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { memberReplacer, type Method } from '../operations/member-replacer.js'
import { endConnection } from '../sockets/connection-end.js'
import type { TakeBytes, Wire } from '../sockets/wire.js'
import { sentByClient } from './client-responses.js'
import { Passage, type ActOnResponse } from './passage.js'
import { sentByServer } from './server-responses.js'
import { isHttpClient, isHttpServer, type HttpTarget } from './target.js'
import { sentByUndici } from './undici-responses.js'

/**
 * The responses of a target as bytes, beneath the HTTP/1 parser, so that Node.js or undici itself makes the errors that
 * the application gets. An operation is a request; its name is the one in `requestSeam`.
 */
export const responseSeam: Seam<HttpTarget, Wire, TakeBytes> = (target, context, act) => {
  if (isHttpServer(target)) {
    sentByServer(target, context, act)
    return
  }
  const sent = receivedOn(context, act)
  if (isHttpClient(target)) sentByClient(target, context, sent)
  else sentByUndici(target, context, (socket, isChosen) => sent(socket, isChosen ? '' : undefined))
}

/** Passes received bytes, or the end of them, on beneath the fault. */
type Push = (chunk: Buffer | null) => boolean

/**
 * Takes the bytes of chosen responses.
 *
 * @returns A function that notes a request: what the connection receives next is its response. `method` is undefined for
 *   a request that is not chosen.
 */
function receivedOn(
  context: InjectionContext,
  act: ActOnResponse,
): (connection: Duplex, method: string | undefined) => void {
  const passages = new WeakMap<Duplex, Passage>()
  /** How bytes reach each connection beneath the fault. */
  const pushes = new WeakMap<Duplex, Push>()
  const receive = (
    connection: Duplex,
    args: readonly unknown[],
    below: (args: readonly unknown[]) => unknown,
  ): unknown => {
    const [chunk] = args
    const passage = passages.get(connection)
    if (passage === undefined || (chunk !== null && !Buffer.isBuffer(chunk))) return below(args)
    pushes.set(connection, (bytes) => below([bytes]) as boolean)
    if (chunk === null) {
      // The end of a connection waits behind the bytes that are held.
      passage.behindHeld(() => void below(args))
      return false
    }
    passage.take(chunk, () => undefined)
    return true
  }
  context.patch(
    net.Socket.prototype,
    'push',
    (below) =>
      function push(this: net.Socket, ...args: unknown[]): unknown {
        return receive(this, args, (given) => below.call.apply(this, given))
      },
  )
  const replaceMember = memberReplacer(context)
  const known = new WeakSet<Duplex>()
  return (connection, method) => {
    if (method === undefined) {
      passages.delete(connection)
      return
    }
    const wire: Wire = {
      line: Symbol('response'),
      on: { isGone: () => connection.destroyed },
      deliver(bytes, done) {
        if (!connection.destroyed) pushes.get(connection)?.(bytes)
        done?.()
      },
      cut: (how, fault) => endConnection(connection, how, fault),
    }
    passages.set(connection, new Passage(context, wire, act, method))
    if (connection instanceof net.Socket || known.has(connection)) return
    known.add(connection)
    replaceMember(
      connection,
      'push',
      (original) =>
        function (...args) {
          return receive(connection, args, (given) => Reflect.apply(original as Method, connection, [...given]))
        },
    )
  }
}
