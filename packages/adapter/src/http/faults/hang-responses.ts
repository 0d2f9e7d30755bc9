import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { responseSeam } from '../responses.js'
import { httpTarget } from '../target.js'

const options = {
  afterBytes: option.optional(
    option.count('Bytes of the body that arrive before the stall. With 0 the head is held back too.'),
    0,
  ),
}

/** Options of {@link hangResponses}. */
export type HangResponsesOptions = OptionsOf<typeof hangResponses>

/**
 * Stalls responses, until the fault ends or the caller gives up.
 *
 * Models a stream whose server stalls without closing: a model that stops generating, a proxy that buffers, or a peer
 * that vanished. The service does what it was asked. The client's own signal, or its timeout between two pieces of a
 * body, works as usual. When the fault ends, the held bytes arrive at once.
 *
 * An operation is a request; its name is `GET http://127.0.0.1:8080/items` at a client, `GET /items` at a server,
 * without the query.
 */
export const hangResponses = defineFault({
  name: 'adapter/hang-responses',
  kind: 'standing',
  summary: 'Stalls responses, until the fault ends or the caller gives up.',
  options,
  target: httpTarget,
  inject: (target, { afterBytes }, context) =>
    responseSeam(target, context, ({ deliver, line, on }) => {
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
        context.hold({ afterMs: Number.POSITIVE_INFINITY, order: line, on, run: () => deliver(rest, done) })
      }
    }),
})
