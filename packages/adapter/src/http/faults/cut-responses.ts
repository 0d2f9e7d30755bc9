import { defineFault, option, type InjectionContext, type OptionsOf } from '@chaos/core/authoring'
import { connectionEnd, type ConnectionEnd } from '../../sockets/connection-end.js'
import { responseSeam } from '../responses.js'
import { netOrHttp } from '../target.js'
import { isNetModule } from '../../sockets/net.js'
import { readSeam } from '../../sockets/seam.js'
import type { TakeBytes, Wire } from '../../sockets/wire.js'

const NAME = 'adapter/cut-responses'
const options = {
  afterBytes: option.optional(
    option.count('Bytes of the piece, or of the body of the response, that still arrive.'),
    0,
  ),
  how: connectionEnd,
}

/** Options of {@link cutResponses}. */
export type CutResponsesOptions = OptionsOf<typeof cutResponses>

/**
 * Cuts a connection in the middle of a response.
 *
 * Models a server that dies while it answers: the client has sent its request, the server has handled it, and only a
 * part of the answer arrives, or none of it with `afterBytes: 0`.
 *
 * With `node:net` as target, an operation is a piece that was read (up to 64 KiB, as the kernel delivers it) on any
 * connection. Its name is the remote address, `127.0.0.1:6379`. Connections that a server of this process accepted are
 * not affected. With an HTTP client or server as target, an operation is a request, `GET http://127.0.0.1:8080/items`
 * or, at a server, `GET /items`. A body of at most `afterBytes`, if that is above 0, arrives complete.
 */
export const cutResponses = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Cuts a connection in the middle of a response.',
  options,
  target: netOrHttp,
  inject(target, options, context) {
    if (isNetModule(target)) readSeam(target, context, (wire) => cutting(wire, options, context, () => false))
    else
      responseSeam(target, context, (wire) =>
        // A body of at most `afterBytes` arrives complete.
        cutting(wire, options, context, (bodyBytes, left) => options.afterBytes > 0 && bodyBytes <= left),
      )
  },
})

/**
 * Delivers bytes up to the cut.
 *
 * @param isWhole Returns whether a piece arrives complete, given how many bytes may still arrive.
 */
function cutting(
  { line, on, deliver, cut }: Wire,
  { afterBytes, how }: { readonly afterBytes: number; readonly how: ConnectionEnd },
  context: InjectionContext,
  isWhole: (bytes: number, left: number) => boolean,
): TakeBytes {
  let left = afterBytes
  let isCut = false
  // As on a real connection, the data is read first and the end in a later read. A real end that arrives meanwhile
  // waits behind the cut.
  const end = (): void => void context.hold({ afterMs: 1, order: line, on, run: () => cut(how, NAME) })
  return (bytes, headBytes, done) => {
    if (isCut) return
    const bodyBytes = bytes.length - headBytes
    if (isWhole(bodyBytes, left)) {
      left -= bodyBytes
      deliver(bytes, done)
      return
    }
    isCut = true
    if (afterBytes === 0) end()
    else deliver(bytes.subarray(0, headBytes + left), end)
  }
}
