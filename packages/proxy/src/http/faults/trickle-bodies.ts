import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { HoldingStage, type HeldItem } from '../../toxics/holding-stage.js'
import type { BodySlot } from '../request-fault.js'
import { affectRequests, httpProxyTarget } from '../target.js'
import { messageOption } from './message-option.js'

const NAME = 'proxy/trickle-bodies'
/** The most bytes that a trickle holds before the proxy stops reading, so that the sender notices too. */
const MAX_HELD = 65_536

const options = {
  pieceBytes: option.optional(option.count('Size of the pieces, in bytes.', 1), 1),
  everyMs: option.number('Time between two pieces, in ms.', 1, 2_147_483_647, 'a number of ms'),
  ...messageOption,
}

/** Options of {@link trickleBodies}. */
export type TrickleBodiesOptions = OptionsOf<typeof trickleBodies>

/**
 * Lets bodies trickle: a piece of `pieceBytes`, then the next one `everyMs` later.
 *
 * Models a service that answers so slowly that timeouts between two reads never fire, or with `stream: 'upstream'` a slow
 * upload. The head arrives at once, the first piece after `everyMs`. When the fault ends, the rest arrives at once.
 *
 * An operation is a request; its name is `GET /items`, without the query. An empty body counts as passed.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `everyMs` does not fit a timer, or `pieceBytes` is no whole number of at least 1.
 * @see Toxiproxy's `slicer` toxic with a delay, which does the same to all bytes of a connection, heads included.
 */
export const trickleBodies = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Lets bodies trickle, a few bytes at a time.',
  options,
  target: httpProxyTarget,
  inject(proxy, given, context) {
    const stage = (slot: BodySlot<Options>): TrickleStage => new TrickleStage(slot)
    affectRequests<Options>(proxy, NAME, given, context, { body: { of: given.stream, stage } })
  },
})

interface Options {
  readonly pieceBytes: number
  readonly everyMs: number
}

class TrickleStage extends HoldingStage<Options> {
  /** When the last piece was due. */
  #lastAt = Number.NEGATIVE_INFINITY

  override get maxHeldBytes(): number {
    return MAX_HELD
  }

  protected override dueOf({ bytes, at }: HeldItem): number {
    if (bytes === undefined) return at
    this.#lastAt = Math.max(this.#lastAt, at) + this.options.everyMs
    return this.#lastAt
  }

  protected override sliceOf(): number {
    return this.options.pieceBytes
  }
}
