import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'
import { ToxicStage } from '../toxics/toxic-stage.js'

const NAME = 'proxy/limit-data'
const options = { bytes: option.count('Bytes that pass before the connection is closed.'), ...streamOption }

/** Options of {@link limitData}. */
export type LimitDataOptions = OptionsOf<typeof limitData>

/**
 * Passes exactly `bytes` bytes, counted since the fault met the connection, and then closes the connection.
 *
 * Models a transfer that breaks off in the middle of a message. With 0 the connection is closed at its first data. An update
 * keeps the count.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `bytes` is no whole number of at least 0.
 */
export const limitData = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Closes a connection after exactly so many bytes.',
  options,
  target: proxyTarget,
  inject: (proxy, given, context) => putInForce(proxy, NAME, given, context, { stage: (slot) => new LimitStage(slot) }),
})

class LimitStage extends ToxicStage<{ readonly bytes: number }> {
  override readonly keepsBytes = false
  #passed = 0

  protected override take(bytes: Buffer): void {
    const left = Math.max(0, this.options.bytes - this.#passed)
    if (bytes.length < left || !this.hit()) {
      this.#passed += bytes.length
      this.pass(bytes)
      return
    }
    if (left > 0) this.pass(bytes.subarray(0, left))
    this.drop(bytes.length - left)
    this.cut('close')
  }
}
