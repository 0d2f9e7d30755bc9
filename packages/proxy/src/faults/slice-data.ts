import { ChaosError } from '@chaos/core'
import { defineFault, MAX_TIMER_MS, option, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { HoldingStage } from '../toxics/holding-stage.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'

const NAME = 'proxy/slice-data'

/** The most bytes in a slice. */
const MAX_SIZE = 65_536
/** The most slices without delay in one turn of the event loop. */
const MAX_TURN = 256

const options = {
  sizeBytes: option.count('Average size of a slice, in bytes.', 1, MAX_SIZE),
  variationBytes: option.optional(
    option.count('Variation of the size, in bytes, at most `sizeBytes`.', 0, MAX_SIZE),
    0,
  ),
  delayMs: option.optional(
    option.number('Time between two slices, in ms. Fractions are allowed.', 0, MAX_TIMER_MS, 'a number of ms'),
    0,
  ),
  ...streamOption,
}

interface Options {
  readonly sizeBytes: number
  readonly variationBytes: number
  readonly delayMs: number
}

/** Options of {@link sliceData}. */
export type SliceDataOptions = OptionsOf<typeof sliceData>

/**
 * Cuts data into slices, each written by itself, `delayMs` apart.
 *
 * Models small packets, and finds code that expects a message in one read. Data is halved until each part is at most
 * `sizeBytes` + `variationBytes` long, as Toxiproxy does. Without a delay the receiver may still read several slices at once.
 * When the fault ends, slices that wait go on at once.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `variationBytes` is greater than `sizeBytes`, or an option is out of range.
 */
export const sliceData = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Cuts data into small slices.',
  options,
  target: proxyTarget,
  check({ sizeBytes, variationBytes }) {
    if (variationBytes > sizeBytes) {
      throw new ChaosError(
        'CHAOS_INVALID_OPTION',
        `Expected \`variationBytes\` of ${NAME} to be at most \`sizeBytes\` (${sizeBytes}), got \`${variationBytes}\`.`,
      )
    }
  },
  inject: (proxy, given, context) => putInForce(proxy, NAME, given, context, { stage: (slot) => new SliceStage(slot) }),
})

class SliceStage extends HoldingStage<Options> {
  /** When the next slice may go. */
  #freeAt = 0
  #inTurn = 0

  /** Slices that cannot go on hold up the sender, as in Toxiproxy. */
  override get maxHeldBytes(): number {
    return MAX_SIZE
  }

  protected override take(bytes: Buffer): void {
    this.#inTurn = 0
    if (!this.hit()) this.pass(bytes)
    else for (const slice of slicesOf(bytes, this.options, this.draw)) this.holdBytes(slice)
  }

  protected override dueOf({ at }: { readonly at: number }): number {
    return Math.max(this.#freeAt, at)
  }

  protected override pass(bytes: Buffer): void {
    super.pass(bytes)
    if (this.hasLeft) return
    this.link.flush()
    this.#inTurn += 1
    const pauseMs = Math.max(this.options.delayMs, this.#inTurn % MAX_TURN === 0 ? 1 : 0)
    // The next slice is due in this turn: a time taken now would be later than that of the turn.
    if (pauseMs > 0) this.#freeAt = this.clock.now() + pauseMs
  }
}

/** Halves data until each part is small enough. */
function slicesOf(bytes: Buffer, { sizeBytes, variationBytes }: Options, draw: () => number): readonly Buffer[] {
  const slices: Buffer[] = []
  const rest = [bytes]
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part.length <= sizeBytes + variationBytes) {
      slices.push(part)
      continue
    }
    const shift = variationBytes === 0 ? 0 : Math.floor(draw() * 2 * variationBytes) - variationBytes
    const middle = Math.min(part.length - 1, Math.max(1, Math.floor(part.length / 2) + shift))
    rest.push(part.subarray(middle), part.subarray(0, middle))
  }
  return slices
}
