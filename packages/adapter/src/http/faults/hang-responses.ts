import { defineFault, option, type InjectionContext, type OptionsOf } from '@chaos/core/authoring'
import { affectResponses, type BrokenResponse, type ResponseWire } from '../responses.js'
import { HTTP_TARGET, isHttpTarget, type HttpTarget } from '../target.js'

const NAME = 'adapter/hang-responses'
const options = {
  afterBytes: option.optional(
    option.count(
      'Bytes of the body that arrive before nothing more comes. Default: 0, and then not even the head arrives.',
    ),
    0,
  ),
}

/** Options of {@link hangResponses}: `afterBytes`, how much of the body arrives before nothing more comes (default 0: not even the head). */
export type HangResponsesOptions = OptionsOf<typeof hangResponses>

/**
 * Lets responses stop in the middle, until the fault ends or the caller gives up.
 *
 * Models a stream whose server stands still without closing: a model that stops to speak, a proxy that buffers, a connection whose other side is gone and
 * has not said so. The service did what it was asked. What the client does about it is its own business: a signal, or a timeout between two pieces of a
 * body. When the fault ends, what is held arrives at once. An operation is a request; its name is `GET http://127.0.0.1:8080/items` at a client,
 * `GET /items` at a server, without the query.
 */
export const hangResponses = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Lets responses stop in the middle.',
  options,
  target: { expects: HTTP_TARGET, accepts: isHttpTarget },
  inject(target: HttpTarget, { afterBytes }, context) {
    affectResponses(target, context, NAME, (wire) => hangBody(wire, afterBytes, context))
  },
})

function hangBody(wire: ResponseWire, afterBytes: number, context: InjectionContext): BrokenResponse {
  let left = afterBytes
  const hold = (bytes: Buffer, done: (error?: Error | null) => void): void =>
    void context.hold({ afterMs: Number.POSITIVE_INFINITY, order: wire.line, run: () => wire.deliver(bytes, done) })
  return {
    take(bytes, headBytes, done) {
      const passing = afterBytes === 0 ? 0 : headBytes + Math.min(left, bytes.length - headBytes)
      left -= passing - (afterBytes === 0 ? 0 : headBytes)
      if (passing === bytes.length) {
        wire.deliver(bytes, done)
        return
      }
      if (passing > 0) wire.deliver(bytes.subarray(0, passing))
      hold(bytes.subarray(passing), done)
    },
  }
}
