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
    option.count(
      'Bytes of the affected piece, or of the body of the affected response, that still arrive. Default: 0.',
    ),
    0,
  ),
  how: connectionEnd,
}

/** Options of {@link cutResponses}. */
export type CutResponsesOptions = OptionsOf<typeof cutResponses>

/**
 * Cuts a connection in the middle of what the server sends.
 *
 * Models a server that dies while it answers: the client has sent its request, the server did what was asked, and a part of the answer arrives, or
 * with `afterBytes: 0` nothing of it.
 *
 * With `node:net` as target an operation is a piece that was read (up to 64 KiB, as the kernel had it), on whatever connection; its name is where that
 * leads to, `127.0.0.1:6379`. Connections that a server of this process accepted are left alone. With a client or server of HTTP an operation is a request,
 * `GET http://127.0.0.1:8080/items` or, at a server, `GET /items`; a body that is not longer than `afterBytes` arrives whole.
 */
export const cutResponses = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Cuts a connection in the middle of what the server sends.',
  options,
  target: netOrHttp,
  inject(target, options, context) {
    if (isNetModule(target)) readSeam(target, context, (wire) => cutting(wire, options, context, () => false))
    else
      responseSeam(target, context, (wire) =>
        // A body that is not longer than `afterBytes` arrives whole.
        cutting(wire, options, context, (bodyBytes, left) => options.afterBytes > 0 && bodyBytes <= left),
      )
  },
})

/** @param isWhole Whether a piece arrives whole, of which this much may still arrive */
function cutting(
  { line, deliver, cut }: Wire,
  { afterBytes, how }: { readonly afterBytes: number; readonly how: ConnectionEnd },
  context: InjectionContext,
  isWhole: (bytes: number, left: number) => boolean,
): TakeBytes {
  let left = afterBytes
  let isCut = false
  // The kernel hands over what it has, and tells of the end when it is asked again; an end that comes meanwhile waits behind it.
  const end = (): void => void context.hold({ afterMs: 1, order: line, run: () => cut(how, NAME) })
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
