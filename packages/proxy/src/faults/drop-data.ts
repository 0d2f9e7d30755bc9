import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import type { Ending } from '../sockets/outlet.js'
import { proxyTarget } from '../toxics/engine.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'
import { ToxicStage } from '../toxics/toxic-stage.js'

const NAME = 'proxy/drop-data'
const options = {
  timeoutMs: option.optional(
    option.durationMs('Time of silence after which the connection is closed, in ms. 0: never.'),
    0,
  ),
  ...streamOption,
}

/** Options of {@link dropData}. */
export type DropDataOptions = OptionsOf<typeof dropData>

/**
 * Drops all bytes of a stream, and its end. Closes the connection after `timeoutMs` without a byte.
 *
 * Models a link that has gone dark: neither peer learns anything. When the fault ends, the connections that it affected
 * are closed, since bytes are missing. It affects a connection as soon as it meets it.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `timeoutMs` does not fit a timer.
 */
export const dropData = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Drops all bytes, and closes the connection after a time of silence.',
  options,
  target: proxyTarget,
  inject: (proxy, given, context) => putInForce(proxy, NAME, given, context, { stage: (slot) => new DropStage(slot) }),
})

class DropStage extends ToxicStage<{ readonly timeoutMs: number }> {
  override readonly keepsBytes = false
  #lastAt = 0
  #isHit = false

  override wake(now: number): void {
    const { timeoutMs } = this.options
    if (timeoutMs > 0 && this.#lastAt + timeoutMs <= now) this.cut('close')
    else this.#schedule()
  }

  protected override edited(): void {
    if (this.#isHit) this.#hear()
  }

  protected override begin(): void {
    this.#isHit = this.hit()
    if (this.#isHit) this.#hear()
  }

  protected override take(bytes: Buffer): void {
    if (!this.#isHit) {
      this.pass(bytes)
      return
    }
    this.drop(bytes.length)
    // The timer goes on and finds out when it fires: no new one for each chunk.
    this.#lastAt = this.clock.now()
  }

  protected override takeEnd(ending: Ending): void {
    if (this.#isHit) this.#hear()
    else this.next.end(ending)
  }

  protected override release(): void {
    if (this.#isHit) this.cut('close')
  }

  #hear(): void {
    this.#lastAt = this.clock.now()
    this.#schedule()
  }

  #schedule(): void {
    const { timeoutMs } = this.options
    this.dueAt = timeoutMs > 0 ? this.#lastAt + timeoutMs : Number.POSITIVE_INFINITY
  }
}
