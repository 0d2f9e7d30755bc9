import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { responseSeam } from '../responses.js'
import { netOrHttp } from '../target.js'
import { isNetModule } from '../../sockets/net.js'
import { readSeam } from '../../sockets/seam.js'
import type { TakeBytes, Wire } from '../../sockets/wire.js'
import { SplitChunks } from '../split-chunks.js'

const options = {
  delayMs: option.durationMs('Time each affected piece is held back, in ms.'),
  pieceBytes: option.optional(
    option.count(
      'Makes a trickle: pieces of so many bytes, each `delayMs` behind the one before it. Default: pieces as they come, each `delayMs` late.',
      1,
    ),
  ),
}

/** Options of {@link slowResponses}. */
export type SlowResponsesOptions = OptionsOf<typeof slowResponses>

/**
 * Holds back what servers send.
 *
 * Models a server or a line under load: requests go out at once, answers come late, piece by piece and in order; the end of a connection waits behind
 * what it follows. When the fault ends, what is held arrives at once.
 *
 * With `node:net` as target an operation is a piece that was read, on whatever connection; its name is where that leads to, `127.0.0.1:6379`. Connections that a
 * server of this process accepted are left alone. With a client or server of HTTP an operation is a request, `GET http://127.0.0.1:8080/items` or, at a
 * server, `GET /items`, and all pieces of its response are held back; the head comes with the first.
 *
 * @see Toxiproxy's `latency` and `slicer` toxics, which do the same between two processes.
 */
export const slowResponses = defineFault({
  name: 'adapter/slow-responses',
  kind: 'standing',
  summary: 'Holds back what servers send.',
  options,
  target: netOrHttp,
  inject(target, options, context) {
    const slow = ({ line, deliver }: Wire): TakeBytes => {
      const split = new SplitChunks(context.clock, options)
      return (bytes, headBytes, done) => {
        const pieces = split.pieces(bytes, headBytes)
        for (const [index, { piece, afterMs }] of pieces.entries()) {
          const run = (): void => deliver(piece, index === pieces.length - 1 ? done : undefined)
          context.hold({ afterMs, order: line, run })
        }
      }
    }
    if (isNetModule(target)) readSeam(target, context, slow)
    else responseSeam(target, context, slow)
  },
})
