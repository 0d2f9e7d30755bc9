import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { responseSeam } from '../responses.js'
import { netOrHttp } from '../target.js'
import { isNetModule } from '../../sockets/net.js'
import { readSeam } from '../../sockets/seam.js'
import type { TakeBytes, Wire } from '../../sockets/wire.js'
import { SplitChunks } from '../split-chunks.js'

const options = {
  delayMs: option.durationMs('Time that each affected piece is held back, in ms.'),
  pieceBytes: option.optional(
    option.count(
      'Size of the pieces of a trickle, in bytes: each comes `delayMs` after the one before. Default: pieces as received, each `delayMs` late.',
      1,
    ),
  ),
}

/** Options of {@link slowResponses}. */
export type SlowResponsesOptions = OptionsOf<typeof slowResponses>

/**
 * Delays responses, piece by piece.
 *
 * Models a server or a network under load: requests go out at once, and answers come late, in order. The end of a
 * connection waits behind the held bytes. When the fault ends, the held bytes arrive at once.
 *
 * With `node:net` as target, an operation is a piece that was read on any connection. Its name is the remote address,
 * `127.0.0.1:6379`. Connections that a server of this process accepted are not affected. With an HTTP client or server
 * as target, an operation is a request, `GET http://127.0.0.1:8080/items` or, at a server, `GET /items`. All pieces of
 * its response are held back; the head comes with the first.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `delayMs` does not fit a timer.
 * @see Toxiproxy's `latency` and `slicer` toxics, which do the same between two processes.
 */
export const slowResponses = defineFault({
  name: 'adapter/slow-responses',
  kind: 'standing',
  summary: 'Delays responses, piece by piece.',
  options,
  target: netOrHttp,
  inject(target, options, context) {
    const slow = ({ line, on, deliver }: Wire): TakeBytes => {
      const split = new SplitChunks(context.clock, options)
      return (bytes, headBytes, done) => {
        const pieces = split.pieces(bytes, headBytes)
        for (const [index, { piece, afterMs }] of pieces.entries()) {
          const run = (): void => deliver(piece, index === pieces.length - 1 ? done : undefined)
          context.hold({ afterMs, order: line, on, run })
        }
      }
    }
    if (isNetModule(target)) readSeam(target, context, slow)
    else responseSeam(target, context, slow)
  },
})
