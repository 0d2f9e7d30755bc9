import { defineFault, option, type Held, type InjectionContext, type OptionsOf } from '@chaos/core/authoring'
import { listenTo } from '../../operations/listeners.js'
import type { Done, Wire } from '../../sockets/wire.js'
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
    responseSeam(target, context, (wire) => {
      const { deliver, line } = wire
      let left = afterBytes
      const stall = stalled(wire, context)
      return (bytes, headBytes, done) => {
        const passing = afterBytes === 0 ? 0 : headBytes + Math.min(left, bytes.length - headBytes)
        left -= passing - (afterBytes === 0 ? 0 : headBytes)
        // A response that has sent its body ends with an empty write, which must not overtake the body.
        if (passing === bytes.length && !context.isHolding(line)) {
          deliver(bytes, done)
          return
        }
        if (passing > 0) deliver(bytes.subarray(0, passing))
        stall(bytes.subarray(passing), done)
      }
    }),
})

/** Keeps the bytes of a response until the injection ends, or until nobody waits for them. */
function stalled(
  { deliver, line, on, connection }: Wire,
  context: InjectionContext,
): (bytes: Buffer, done: Done) => void {
  const kept: { readonly held: Held; readonly accept: () => void }[] = []
  const leaving: (() => void)[] = []
  const leave = (): void => {
    for (const stop of leaving.splice(0)) stop()
  }
  // The caller has hung up. The connection closes when its writer need not wait.
  const accept = (): void => {
    for (const piece of kept) piece.accept()
  }
  // The bytes of a closed connection count as lost when they are due.
  const lose = (): void => {
    leave()
    for (const { held } of kept.splice(0)) held.run()
  }
  return (bytes, done) => {
    let isDone = false
    const doneOnce: Done = (error) => {
      if (!isDone) done(error)
      isDone = true
    }
    const run = (): void => {
      leave()
      deliver(bytes, doneOnce)
    }
    if (kept.length === 0) leaving.push(listenTo(connection, 'end', accept), listenTo(connection, 'close', lose))
    const held = context.hold({ afterMs: Number.POSITIVE_INFINITY, order: line, on, run })
    kept.push({ held, accept: doneOnce })
    if (connection.readableEnded) doneOnce()
  }
}
