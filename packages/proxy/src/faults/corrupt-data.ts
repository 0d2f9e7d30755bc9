import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { CorruptStage } from '../toxics/corrupt-stage.js'
import { proxyTarget } from '../toxics/engine.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'

const NAME = 'proxy/corrupt-data'
const options = {
  byteRate: option.optional(option.rate('Share of the bytes to corrupt, 0 to 1.'), 0.001),
  ...streamOption,
}

/** Options of {@link corruptData}. */
export type CorruptDataOptions = OptionsOf<typeof corruptData>

/**
 * Flips one random bit in a share of the bytes. No byte is added or lost.
 *
 * Models faulty memory in something on the way, which the checksums of TCP do not notice. Under TLS the connection fails;
 * without it, this shows what a parser makes of garbage.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `byteRate` is not from 0 to 1.
 */
export const corruptData = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Flips one bit in a share of the bytes.',
  options,
  target: proxyTarget,
  inject: (proxy, given, context) =>
    putInForce(proxy, NAME, given, context, { stage: (slot) => new CorruptStage(slot) }),
})
