import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import type { Ending } from '../sockets/outlet.js'
import { proxyTarget } from '../toxics/engine.js'
import { HoldingStage } from '../toxics/holding-stage.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'

const NAME = 'proxy/slow-close'
const options = { delayMs: option.durationMs('Time that each end is held back, in ms.'), ...streamOption }

/** Options of {@link slowClose}. */
export type SlowCloseOptions = OptionsOf<typeof slowClose>

/**
 * Delays the end of streams. Bytes pass at once.
 *
 * Models a peer, or something on the way, that is slow to close, so that connections pile up. When the fault ends, held
 * ends go on at once.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `delayMs` does not fit a timer.
 */
export const slowClose = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Delays the end of streams; bytes pass at once.',
  options,
  target: proxyTarget,
  inject: (proxy, given, context) =>
    putInForce(proxy, NAME, given, context, { stage: (slot) => new SlowCloseStage(slot) }),
})

class SlowCloseStage extends HoldingStage<{ readonly delayMs: number }> {
  override readonly keepsBytes = false

  protected override dueOf(): number {
    return this.clock.now() + this.options.delayMs
  }

  protected override take(bytes: Buffer): void {
    this.pass(bytes)
  }

  protected override takeEnd(ending: Ending): void {
    if (this.hit()) this.holdEnd(ending)
    else this.next.end(ending)
  }

  /** An edit starts the delay again, with its new length. */
  protected override edited(): void {
    this.schedule()
  }
}
