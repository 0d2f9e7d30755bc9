import { Stage } from '../links/stage.js'
import type { Slot } from './toxic.js'

/** A stage with the options of its toxic, as they are now, and its decision. */
export abstract class ToxicStage<Options> extends Stage {
  readonly #slot: Slot<Options>
  readonly #roll: (call: number) => number
  #drawn = 0

  constructor(slot: Slot<Options>) {
    super(slot.toxic.clock, slot.toxic.account)
    this.#slot = slot
    this.#roll = slot.toxic.context.rolls(`${slot.stream} ${slot.connection.ordinal}`)
  }

  protected get options(): Options {
    return this.#slot.toxic.options
  }

  /** Counts the connection as affected, the first time. Returns whether the toxic may affect it. */
  protected hit(): boolean {
    return this.#slot.encounter.hit() && !this.hasLeft
  }

  /** The next seeded random number of this stream of this connection, from 0 (included) to 1 (excluded). */
  protected readonly draw = (): number => this.#roll((this.#drawn += 1))
}
