import type { InjectionContext } from '@chaos/core/authoring'
import type { Socket } from 'node:net'
import { memberReplacer } from '../../operations/member-replacer.js'
import type { ActOnRequest } from '../request-call.js'
import { requestsOfStreams } from '../http2/requests.js'
import { answerBytes } from './answer-bytes.js'
import { requestName, type RequestTarget } from './dispatcher.js'
import { Outgoing } from './outgoing.js'
import { followRequests, type BelongsTo, type UndiciRequest } from './requests.js'

/**
 * Requests of undici that are written to a connection. A chosen one gets no further: its bytes stay in this process, as
 * with a server that accepts connections and reads nothing, while the timeouts, the events and the queue of its client
 * go on as they do then.
 *
 * @param isDecided Returns whether the fault has decided about a request already.
 */
export function requestsOnTheWire(
  target: RequestTarget,
  context: InjectionContext,
  act: ActOnRequest,
  isDecided: BelongsTo = () => false,
): void {
  const connections = new WeakMap<Socket, Outgoing>()
  const drops = new WeakMap<UndiciRequest, () => void>()
  const replaceMember = memberReplacer(context)
  const onStream = requestsOfStreams(context, act)
  followRequests(target, context, {
    sent(request, socket) {
      const name = isDecided(request) ? undefined : requestName(request)
      let outgoing = connections.get(socket)
      if (name === undefined || !context.operation(name).shouldInject([request])) {
        outgoing?.begin()
        return
      }
      if (outgoing === undefined) connections.set(socket, (outgoing = new Outgoing(socket, replaceMember)))
      const part = outgoing.hold()
      const fail = (error: Error): void => void socket.destroy(error)
      act({
        name,
        args: [request],
        proceed: part.release,
        fail,
        later(keep) {
          const held = keep({
            proceed: part.release,
            fail,
            answer(answer, body) {
              part.drop()
              socket.push(answerBytes(answer, body, request.method))
            },
          })
          drops.set(request, () => held.drop())
        },
      })
    },
    starting(request, starting) {
      const name = isDecided(request) ? undefined : requestName(request)
      if (name === undefined || !context.operation(name).shouldInject([request])) return starting.send()
      const onHeld = (giveUp: () => void): void => void drops.set(request, giveUp)
      return onStream(starting, { name, method: request.method, args: [request], onHeld })
    },
    // Its caller has given up, or the connection is lost.
    over(request) {
      drops.get(request)?.()
    },
  })
}
