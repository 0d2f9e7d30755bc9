import type { InjectionContext } from '@chaos/core/authoring'
import type { ClientHttp2Stream } from 'node:http2'
import { holdWhileOpen } from '../../operations/while-open.js'
import type { ActOnRequest } from '../request-call.js'
import type { HeldStream } from './held-stream.js'
import { patchStreams, type StartingRequest } from './sessions.js'

/** A request with the name and the arguments of its operation. */
interface NamedRequest {
  readonly name: string
  readonly method: string
  readonly args: readonly unknown[]
  /** Gets a function to call when the caller has given up, for a client that does not close the stream then. */
  readonly onHeld?: (giveUp: () => void) => void
}

/**
 * Returns a function that hands a chosen request of a session to a fault, and returns its stream. A held request has its
 * stream, whose timeouts run, and the service gets nothing of it.
 */
export function requestsOfStreams(
  context: InjectionContext,
  act: ActOnRequest,
): (starting: StartingRequest, named: NamedRequest) => ClientHttp2Stream {
  const holds = new WeakMap<ClientHttp2Stream, HeldStream>()
  patchStreams(context, 'close', (stream, args, pass) => {
    const result = pass(...args)
    holds.get(stream)?.giveUp()
    return result
  })
  return ({ send, hold }, { name, method, args, onHeld }) =>
    act({
      name,
      args,
      proceed: send,
      fail(error) {
        const held = hold()
        held.fail(error)
        return held.stream
      },
      later(keep) {
        const held = hold()
        const { stream } = held
        onHeld?.(() => held.giveUp())
        holds.set(stream, held)
        holdWhileOpen(stream, (leave) =>
          keep({
            proceed() {
              leave()
              held.release()
            },
            fail(error) {
              leave()
              held.fail(error)
            },
            answer(answer, body) {
              leave()
              held.answer(answer, body, method)
            },
          }),
        )
        return stream
      },
    }) as ClientHttp2Stream
}
