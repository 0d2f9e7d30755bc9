import { ChaosError } from '@chaos/core'
import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'
import { ToxicStage } from '../toxics/toxic-stage.js'

const NAME = 'proxy/close-connections'
const options = {
  afterMs: option.optional(option.durationMs('Time from when the fault meets the connection to its end, in ms.')),
  afterBytes: option.optional(
    option.count('Bytes that pass before the end. The piece of data that reaches it passes whole.'),
  ),
  how: option.optional(
    option.oneOf(['close', 'reset'], 'close: both ends are closed in order (FIN); reset: both are reset (RST).'),
    'close',
  ),
  ...streamOption,
}

interface Options {
  readonly afterMs?: number | undefined
  readonly afterBytes?: number | undefined
  readonly how: 'close' | 'reset'
}

/** Options of {@link closeConnections}. */
export type CloseConnectionsOptions = OptionsOf<typeof closeConnections>

/**
 * Ends connections after a time or after a number of bytes, whichever is first. Until then all bytes pass.
 *
 * Models a load balancer with a longest life for connections, or a server that restarts. An idle connection ends as well.
 * Time and bytes count from when the fault meets the connection; the bytes are those of the stream. What is read together
 * with the last of them, up to 256 KiB, passes as well: `limitData` closes after exactly so many bytes.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if neither `afterMs` nor `afterBytes` is given.
 */
export const closeConnections = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Ends connections after a time or a number of bytes.',
  options,
  target: proxyTarget,
  check({ afterMs, afterBytes }) {
    if (afterMs === undefined && afterBytes === undefined)
      throw new ChaosError('CHAOS_INVALID_OPTION', `Expected \`afterMs\` or \`afterBytes\` of ${NAME}, got neither.`)
  },
  inject: (proxy, given, context) => putInForce(proxy, NAME, given, context, { stage: (slot) => new CloseStage(slot) }),
})

class CloseStage extends ToxicStage<Options> {
  override readonly keepsBytes = false
  #metAt = 0
  #passed = 0

  override wake(): void {
    this.dueAt = Number.POSITIVE_INFINITY
    this.#end()
  }

  protected override edited(): void {
    const { afterMs = Number.POSITIVE_INFINITY } = this.options
    this.dueAt = this.#metAt + afterMs
    if (this.dueAt <= this.clock.now()) this.wake()
  }

  protected override begin(): void {
    this.#metAt = this.clock.now()
    this.edited()
  }

  protected override take(bytes: Buffer): void {
    const { afterBytes = Number.POSITIVE_INFINITY } = this.options
    this.#passed += bytes.length
    this.pass(bytes)
    if (this.#passed >= afterBytes) this.#end()
  }

  #end(): void {
    if (this.hit()) this.cut(this.options.how)
  }
}
