import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { responseSeam } from '../responses.js'
import { httpTarget } from '../target.js'

const options = {
  afterBytes: option.optional(
    option.count(
      'Bytes of the body that arrive before nothing more comes. Default: 0, and then not even the head arrives.',
    ),
    0,
  ),
}

/** Options of {@link hangResponses}. */
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
  name: 'adapter/hang-responses',
  kind: 'standing',
  summary: 'Lets responses stop in the middle.',
  options,
  target: httpTarget,
  inject: (target, { afterBytes }, context) =>
    responseSeam(target, context, ({ deliver, line }) => {
      let left = afterBytes
      return (bytes, headBytes, done) => {
        const passing = afterBytes === 0 ? 0 : headBytes + Math.min(left, bytes.length - headBytes)
        left -= passing - (afterBytes === 0 ? 0 : headBytes)
        if (passing === bytes.length) {
          deliver(bytes, done)
          return
        }
        if (passing > 0) deliver(bytes.subarray(0, passing))
        const rest = bytes.subarray(passing)
        context.hold({ afterMs: Number.POSITIVE_INFINITY, order: line, run: () => deliver(rest, done) })
      }
    }),
})
