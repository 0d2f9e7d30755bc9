import { defineFault, MAX_TIMER_MS, option, type OptionsOf } from '@chaos/core/authoring'
import { proxyTarget } from '../toxics/engine.js'
import { HoldingStage, type HeldItem } from '../toxics/holding-stage.js'
import { lossOf, lossOptions, type LossOptions } from '../toxics/loss.js'
import { putInForce } from '../toxics/put-in-force.js'
import { streamOption } from '../toxics/stream-option.js'

const NAME = 'proxy/retransmit-data'

/** Bytes of a packet on an Ethernet with IPv4: 1,500 less two headers of 20 bytes. */
const SEGMENT = 1_460
/** The most times that Linux sends a packet again (`net.ipv4.tcp_retries2`). */
const MAX_RETRIES = 15

const options = {
  ...lossOptions('packet of 1,460 bytes'),
  timeoutMs: option.optional(
    option.durationMs('Time until a lost packet is sent again, in ms. It doubles each time the same packet is lost.'),
    200,
  ),
  ...streamOption,
}

interface Options extends LossOptions {
  readonly timeoutMs: number
}

/** Options of {@link retransmitData}. */
export type RetransmitDataOptions = OptionsOf<typeof retransmitData>

/**
 * Delays data as lost packets do that TCP sends again. No byte is lost, and the bytes behind a lost packet wait for it.
 *
 * Models a lossy network as an application sees it: stalls of 200 ms, 600 ms, 1.4 s and so on. 200 ms is the shortest
 * retransmission timeout of Linux.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a rate is not from 0 to 1, or `timeoutMs` does not fit a timer.
 */
export const retransmitData = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Delays data as lost packets do that TCP sends again.',
  options,
  target: proxyTarget,
  inject: (proxy, given, context) =>
    putInForce(proxy, NAME, given, context, { stage: (slot) => new RetransmitStage(slot) }),
})

class RetransmitStage extends HoldingStage<Options> {
  readonly #isLost = lossOf(this.draw)

  protected override take(bytes: Buffer): void {
    // Each packet is decided when the data comes, so that what waits in front of it changes nothing.
    const delayMs = this.#delayOf(bytes.length)
    if (delayMs > 0 && this.hit()) this.holdBytes(bytes, delayMs)
    else if (this.first === undefined) this.pass(bytes)
    else this.holdBytes(bytes)
  }

  protected override dueOf({ at, delayMs }: HeldItem): number {
    return at + delayMs
  }

  /** The packets of a piece of data are sent together, so that the slowest one counts. */
  #delayOf(length: number): number {
    let delayMs = 0
    for (let sent = 0; sent < length; sent += SEGMENT) delayMs = Math.max(delayMs, this.#delayOfPacket())
    return Math.min(delayMs, MAX_TIMER_MS)
  }

  #delayOfPacket(): number {
    const { timeoutMs } = this.options
    let losses = 0
    while (losses < MAX_RETRIES && this.#isLost(this.options)) losses += 1
    return timeoutMs * (2 ** losses - 1)
  }
}
