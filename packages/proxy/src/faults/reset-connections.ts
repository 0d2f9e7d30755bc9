import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'
import { ToxicStage } from '../toxics/toxic-stage.js'
import type { Ending } from '../sockets/outlet.js'

const NAME = 'proxy/reset-connections'
const options = {
  afterMs: option.optional(option.durationMs('Time from the first data or end to the reset, in ms.'), 0),
  ...streamOption,
}

/** Options of {@link resetConnections}. */
export type ResetConnectionsOptions = OptionsOf<typeof resetConnections>

/**
 * Resets connections (RST at both ends) `afterMs` after the next data or end on the stream, which is dropped.
 *
 * Models a peer that has crashed, or a firewall that forgot the connection. An idle connection is left alone. When the
 * fault ends while a reset is due, the connection is reset at once, since bytes are missing.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `afterMs` does not fit a timer.
 */
export const resetConnections = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Resets connections at their next data.',
  options,
  target: proxyTarget,
  inject: (proxy, given, context) => putInForce(proxy, NAME, given, context, { stage: (slot) => new ResetStage(slot) }),
})

class ResetStage extends ToxicStage<{ readonly afterMs: number }> {
  override readonly keepsBytes = false
  #isTriggered = false

  override wake(): void {
    this.cut('reset')
  }

  protected override take(bytes: Buffer): void {
    if (this.hit()) {
      this.drop(bytes.length)
      this.#trigger()
    } else this.pass(bytes)
  }

  protected override takeEnd(ending: Ending): void {
    if (this.hit()) this.#trigger()
    else this.next.end(ending)
  }

  protected override release(): void {
    if (this.#isTriggered) this.cut('reset')
  }

  #trigger(): void {
    if (this.#isTriggered) return
    this.#isTriggered = true
    const { afterMs } = this.options
    if (afterMs === 0) this.cut('reset')
    else this.dueAt = this.clock.now() + afterMs
  }
}
