import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { HoldingStage, type HeldItem } from '../toxics/holding-stage.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'
import type { Slot } from '../toxics/toxic.js'

const NAME = 'proxy/limit-bandwidth'

/** The longest time that one slice of a piece of data takes, in ms: Toxiproxy's. */
const SLICE_MS = 100
/** The same where connections share a bandwidth, so that they take turns. */
const SHARED_SLICE_MS = 10
/** The least that a stream holds before its source is paused, in bytes. */
const MIN_HELD = 65_536

const options = {
  bytesPerSecond: option.count('Bytes per second. 0: nothing passes, and nothing is lost.'),
  shared: option.optional(
    option.flag('Whether all connections that it affects share the bandwidth, instead of having it each.'),
    false,
  ),
  ...streamOption,
}

interface Options {
  readonly bytesPerSecond: number
  readonly shared: boolean
}

/** Options of {@link limitBandwidth}. */
export type LimitBandwidthOptions = OptionsOf<typeof limitBandwidth>

/**
 * Limits the bytes per second of each stream, or of all together.
 *
 * Models a slow line. A piece of data arrives when its last byte would, large ones in slices of 100 ms. The limit holds on
 * average over any busy time. With 0 bytes per second the stream stands still; what it holds goes on when the fault ends.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `bytesPerSecond` is no whole number of at least 0.
 */
export const limitBandwidth = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Limits the bytes per second; 0 lets nothing pass and loses nothing.',
  options,
  target: proxyTarget,
  inject(proxy, given, context) {
    const shared: Line = { freeAt: 0 }
    return putInForce(proxy, NAME, given, context, { stage: (slot) => new BandwidthStage(slot, shared) })
  },
})

/** A line that carries one slice after the other. */
interface Line {
  /** When it has carried everything that was given to it. */
  freeAt: number
  /** The options that it follows. */
  options?: Options
}

class BandwidthStage extends HoldingStage<Options> {
  readonly #own: Line = { freeAt: 0 }
  readonly #shared: Line

  constructor(slot: Slot<Options>, shared: Line) {
    super(slot)
    this.#shared = shared
  }

  override get maxHeldBytes(): number {
    return Math.max(MIN_HELD, this.#sliceBytes(SLICE_MS))
  }

  protected override dueOf({ bytes, at }: HeldItem): number {
    if (bytes === undefined) return at
    const { options } = this
    if (options.bytesPerSecond === 0) return Number.POSITIVE_INFINITY
    const line = options.shared ? this.#shared : this.#own
    if (line.options !== options) Object.assign(line, { options, freeAt: this.clock.now() })
    // From when the line was free, not from now: a late timer does not lower the rate.
    line.freeAt = Math.max(line.freeAt, at) + (this.sliceOf(bytes) * 1_000) / options.bytesPerSecond
    return line.freeAt
  }

  protected override sliceOf(bytes: Buffer): number {
    return Math.min(bytes.length, this.#sliceBytes(this.options.shared ? SHARED_SLICE_MS : SLICE_MS))
  }

  #sliceBytes(ms: number): number {
    return Math.max(1, Math.floor((this.options.bytesPerSecond * ms) / 1_000))
  }
}
