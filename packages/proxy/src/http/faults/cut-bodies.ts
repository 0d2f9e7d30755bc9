import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { ToxicStage } from '../../toxics/toxic-stage.js'
import type { BodySlot, HowToEnd } from '../request-fault.js'
import { affectRequests, httpProxyTarget } from '../target.js'
import { messageOption } from './message-option.js'

const NAME = 'proxy/cut-bodies'
const options = {
  afterBytes: option.count('Bytes of the body that still arrive. A body that is not longer arrives whole.'),
  how: option.optional(
    option.oneOf(['reset', 'close'], 'reset: the connections are reset (RST); close: they end in order (FIN).'),
    'reset',
  ),
  ...messageOption,
}

/** Options of {@link cutBodies}. */
export type CutBodiesOptions = OptionsOf<typeof cutBodies>

/**
 * Passes exactly `afterBytes` bytes of a body and then ends the connections of both sides.
 *
 * Models a service that crashes while it answers, or a client that breaks an upload off. The headers say what they said: a
 * `content-length` promises more than comes, and a body in chunks lacks its last chunk, so that a correct client notices.
 *
 * An operation is a request; its name is `GET /items`, without the query. A body that is not longer than `afterBytes` counts
 * as passed.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `afterBytes` is no whole number of at least 0.
 */
export const cutBodies = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Ends the connection after exactly so many bytes of a body.',
  options,
  target: httpProxyTarget,
  inject(proxy, given, context) {
    const stage = (slot: BodySlot<Options>): CutStage => new CutStage(slot)
    affectRequests<Options>(proxy, NAME, given, context, { body: { of: given.stream, stage } })
  },
})

interface Options {
  readonly afterBytes: number
  readonly how: HowToEnd
}

class CutStage extends ToxicStage<Options> {
  readonly #endsWith: (how: HowToEnd) => void
  #passed = 0

  constructor(slot: BodySlot<Options>) {
    super(slot)
    this.#endsWith = slot.endsWith
  }

  protected override take(bytes: Buffer): void {
    const { afterBytes, how } = this.options
    const left = Math.max(0, afterBytes - this.#passed)
    if (bytes.length <= left || !this.hit()) {
      this.#passed += bytes.length
      this.pass(bytes)
      return
    }
    if (left > 0) this.pass(bytes.subarray(0, left))
    this.drop(bytes.length - left)
    this.#endsWith(how)
    this.cut('close')
  }
}
