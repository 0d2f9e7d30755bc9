import { ToxicStage } from './toxic-stage.js'

/** Flips one random bit in a share of the bytes that pass. */
export class CorruptStage extends ToxicStage<{ readonly byteRate: number }> {
  override readonly keepsBytes = false
  /** Bytes until the next one to corrupt. */
  #gap = -1
  #rate = 0

  protected override take(bytes: Buffer): void {
    const { byteRate } = this.options
    if (byteRate !== this.#rate) {
      this.#rate = byteRate
      this.#gap = this.#nextGap()
    }
    if (byteRate > 0 && this.#gap < bytes.length && this.hit()) this.#corrupt(bytes)
    else this.#gap -= bytes.length
    this.pass(bytes)
  }

  #corrupt(bytes: Buffer): void {
    let at = this.#gap
    for (; at < bytes.length; at += 1 + this.#nextGap()) {
      bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(this.draw() * 8))
    }
    this.#gap = at - bytes.length
  }

  /** The number of whole bytes between two corrupted ones follows a geometric distribution. */
  #nextGap(): number {
    if (this.#rate >= 1) return 0
    return this.#rate === 0 ? 0 : Math.floor(Math.log(1 - this.draw()) / Math.log(1 - this.#rate))
  }
}
