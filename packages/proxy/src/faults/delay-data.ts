import { defineFault, delayOf, delayOptions, type DelayOptions, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { HoldingStage, type HeldItem } from '../toxics/holding-stage.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'

const NAME = 'proxy/delay-data'

/** Options of {@link delayData}. */
export type DelayDataOptions = OptionsOf<typeof delayData>

/**
 * Delays bytes on their way, in order and never early.
 *
 * Models distance, or a busy network. The end of a stream waits behind its bytes. When the fault ends, or its options are
 * updated, held bytes go on as with Toxiproxy's `latency`: all of them at the end, the first piece at an update.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a duration does not fit a timer.
 */
export const delayData = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Delays bytes on their way, in order.',
  options: { ...delayOptions('each piece of data'), ...streamOption },
  target: proxyTarget,
  inject: (proxy, options, context) =>
    putInForce(proxy, NAME, options, context, { stage: (slot) => new DelayStage(slot) }),
})

class DelayStage extends HoldingStage<DelayOptions> {
  protected override dueOf({ bytes, at }: HeldItem): number {
    return bytes === undefined ? at : at + delayOf(this.options, this.draw)
  }
}
