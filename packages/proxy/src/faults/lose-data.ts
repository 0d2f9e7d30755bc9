import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { lossOf, lossOptions, type LossOptions } from '../toxics/loss.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'
import { ToxicStage } from '../toxics/toxic-stage.js'

const NAME = 'proxy/lose-data'
/** The most bytes in a piece: what Toxiproxy reads at once. */
const MAX_PIECE = 32_768

/** Options of {@link loseData}. */
export type LoseDataOptions = OptionsOf<typeof loseData>

/**
 * Drops pieces of data at random, in bursts if `correlation` says so. A piece is what is read at once, and at most 32 KiB.
 *
 * This is what Toxiproxy calls `packet_loss`. A stream with missing bytes is a damaged stream, which TCP never shows: it
 * sends lost packets again. For what an application sees of lost packets, use `retransmitData`.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a rate is not from 0 to 1.
 */
export const loseData = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Drops pieces of data at random, as Toxiproxy does.',
  options: { ...lossOptions('piece of data'), ...streamOption },
  target: proxyTarget,
  inject: (proxy, given, context) => putInForce(proxy, NAME, given, context, { stage: (slot) => new LossStage(slot) }),
})

class LossStage extends ToxicStage<LossOptions> {
  override readonly keepsBytes = false
  readonly #isLost = lossOf(this.draw)

  protected override take(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += MAX_PIECE) {
      const piece = bytes.subarray(at, at + MAX_PIECE)
      if (this.#isLost(this.options) && this.hit()) this.drop(piece.length)
      else this.pass(piece)
    }
  }
}
