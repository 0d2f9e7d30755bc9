import type { InjectionContext } from '@chaos/core/authoring'
import http from 'node:http'
import { Duplex } from 'node:stream'
import { holdWhileOpen } from '../operations/while-open.js'
import { onWrites } from '../sockets/writes.js'
import { hasBody } from './answer-body.js'
import { AnsweringSocket } from './answering-socket.js'
import { HeldWrites } from './held-writes.js'
import type { AnswerCall, RequestCall } from './request-call.js'
import { patchOnSocket } from './on-socket.js'
import { clientRequestName, isRequestOf, type HttpClient } from './target.js'

/** The internal method by which a request gets its connection, or the error of one, whichever agent made it. */
type OnSocketArguments = readonly [connection: Duplex | null | undefined, error?: unknown]

/**
 * The requests of the Node.js client, beneath everything that watches them: a held request has its connection, and what it
 * writes there is kept. So every timeout runs as it does at a peer that does not answer.
 */
export function requestsOfClient(
  client: HttpClient,
  context: InjectionContext,
  act: (call: RequestCall) => unknown,
): void {
  const holds = new WeakMap<Duplex, HeldWrites>()
  const watch = onWrites(context, (connection) => {
    const held = holds.get(connection)
    return held === undefined ? undefined : (outgoing) => held.take(outgoing)
  })
  patchOnSocket(
    context,
    (below) =>
      function onSocket(this: http.ClientRequest, ...args: OnSocketArguments): unknown {
        const [connection, failure] = args
        const proceed = (): unknown => below.call.call(this, ...args)
        if (!(connection instanceof Duplex) || failure || !isRequestOf(client, this)) return proceed()
        const name = clientRequestName(this)
        if (!context.operation(name).shouldInject([this])) return proceed()
        return act({
          name,
          args: [this],
          proceed,
          fail: (error): unknown => below.call.call(this, connection, error),
          later: (keep) => {
            const writes = new HeldWrites(connection)
            const letGo = (): void => {
              if (holds.get(connection) === writes) holds.delete(connection)
            }
            watch(connection)
            holds.set(connection, writes)
            holdWhileOpen(
              this,
              (leave) =>
                keep({
                  proceed: () => {
                    leave()
                    letGo()
                    writes.release()
                  },
                  fail: (error) => {
                    leave()
                    letGo()
                    this.destroy(error)
                  },
                }),
              letGo,
            )
            return proceed()
          },
        })
      },
  )
}

/** The requests of the Node.js client that a fault answers. The service gets none of them, nor a connection if possible. */
export function answersOfClient(
  client: HttpClient,
  context: InjectionContext,
  act: (call: AnswerCall) => unknown,
): void {
  const decided = new WeakSet<http.ClientRequest>()
  const isChosen = (request: http.ClientRequest): boolean => {
    if (decided.has(request) || !isRequestOf(client, request)) return false
    decided.add(request)
    return context.operation(clientRequestName(request)).shouldInject([request])
  }
  const answer = (request: http.ClientRequest, give: (connection: AnsweringSocket) => unknown): unknown =>
    act({
      later(keep) {
        const connection = new AnsweringSocket()
        connection.setTimeout(timeoutOf(request))
        holdWhileOpen(connection, (leave) =>
          keep({
            answer: (made, body) => {
              leave()
              connection.answer(made, hasBody(request.method, made.statusCode) ? body : Buffer.alloc(0))
            },
          }),
        )
        return give(connection)
      },
    })
  context.patch(
    http.Agent.prototype,
    'addRequest',
    (below) =>
      function addRequest(this: http.Agent, ...args: [request: http.ClientRequest, ...rest: unknown[]]): unknown {
        const [request] = args
        if (!isChosen(request)) return below.call.apply(this, args)
        return answer(request, (connection) => request.onSocket(connection))
      },
  )
  // A request without an agent, or with an agent of another kind, has a connection by now.
  patchOnSocket(
    context,
    (below) =>
      function onSocket(this: http.ClientRequest, ...args: OnSocketArguments): unknown {
        if (!isChosen(this)) return below.call.call(this, ...args)
        const [unused] = args
        return answer(this, (connection) => {
          if (unused instanceof Duplex) giveBack(unused)
          return below.call.call(this, connection)
        })
      },
  )
}

/** Gives a connection back to its agent, as Node.js does when a request does not need it. */
function giveBack(connection: Duplex): void {
  if (connection.listenerCount('free') > 0) connection.emit('free')
  else connection.on('error', () => undefined).destroy()
}

/** Returns the idle timeout of a request's connection in ms; 0: none. */
function timeoutOf({ timeout, agent }: TimedRequest): number {
  return timeout ?? agent?.options?.timeout ?? 0
}

/** A request with the idle timeouts in ms that Node.js gives to its connection. */
interface TimedRequest extends http.ClientRequest {
  readonly timeout?: number
  readonly agent?: { readonly options?: { readonly timeout?: number } }
}
