import type { InjectionContext, Seam } from '@chaos/core/authoring'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import { memberReplacer, type Method } from '../operations/member-replacer.js'
import { endConnection } from '../sockets/connection-end.js'
import { onReads } from '../sockets/reads.js'
import type { TakeBytes, Wire } from '../sockets/wire.js'
import { sentByClient } from './client-responses.js'
import { requestsOfSessions } from './http2-client.js'
import { responsesOfStreams } from './http2/responses.js'
import { Passage, type ActOnResponse } from './passage.js'
import { sentByServer } from './server-responses.js'
import { isHttp2Client, isHttpClient, isHttpServer, type HttpTarget } from './target.js'
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
  if (isHttp2Client(target)) {
    const take = responsesOfStreams(context, act)
    requestsOfSessions(context, ({ send }) => {
      const stream = send()
      take(stream)
      return stream
    })
    return
  }
  const sent = receivedOn(context, act)
  if (isHttpClient(target)) sentByClient(target, context, sent)
  else sentByUndici(target, context, sent, responsesOfStreams(context, act))
}

/** Passes received bytes, or the end of them, on beneath the fault. */
type Push = (chunk: Buffer | null) => void

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
  /** Returns whether the fault has the bytes, or the end of the connection. */
  const receive = (connection: Duplex, chunk: Buffer | null, deliver: Push): boolean => {
    const passage = passages.get(connection)
    if (passage === undefined) return false
    pushes.set(connection, deliver)
    // The end of a connection waits behind the bytes that are held.
    if (chunk === null) passage.behindHeld(() => deliver(null))
    else passage.take(chunk, () => undefined)
    return true
  }
  onReads(context, ({ socket, chunk, deliver }) => receive(socket, chunk, deliver))
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
      connection,
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
          const [chunk] = args
          const pass = (given: unknown): unknown => Reflect.apply(original as Method, connection, [given])
          if (chunk !== null && !Buffer.isBuffer(chunk)) return Reflect.apply(original as Method, connection, args)
          return receive(connection, chunk, pass) || pass(chunk)
        },
    )
  }
}
