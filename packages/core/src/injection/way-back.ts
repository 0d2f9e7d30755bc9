import type { Clock } from '../basics/clock.js'
import { printable } from '../basics/text.js'
import type { AnyFunction, Below } from '../patch/below.js'
import { patch, type PatchOptions, type Unpatch } from '../patch/patch.js'
import { unwind, type UndoStep } from './undo-stack.js'

/** What one injection has changed, and how it is put back: the newest step first. */
export class WayBack {
  readonly #id: string
  readonly #clock: Clock
  readonly #warn: (message: string) => void
  readonly #undo: UndoStep[] = []
  readonly #layers: Unpatch[] = []
  /** Steps recorded so far. */
  #steps = 0

  constructor(id: string, clock: Clock, warn: (message: string) => void) {
    this.#id = id
    this.#clock = clock
    this.#warn = warn
  }

  /** Lays a function over a member, and records the step that takes it off. */
  patch(object: object, key: PropertyKey, layer: (below: Below) => AnyFunction, options: PatchOptions): void {
    const unpatch = patch(object, key, layer, options)
    this.#layers.push(unpatch)
    this.#undo.push(
      this.step(`patch of ${printable(key)}`, () => {
        const message = unpatch()
        if (message !== undefined) this.#warn(message)
      }),
    )
  }

  /** A step with the name that a failure shows. */
  step(name: string, undo: UndoStep['undo']): UndoStep {
    this.#steps += 1
    return { name: `Undo step ${this.#steps} of ${this.#id}${name === '' ? '' : ` (${printable(name)})`}`, undo }
  }

  push(step: UndoStep): void {
    this.#undo.push(step)
  }

  /** What other layers release then goes past these layers: else each of many events would pass each of many ended layers. */
  stepAside(): void {
    for (const layer of this.#layers) layer.stepAside()
  }

  /** Undoes everything. @returns What failed; see {@link unwind}. */
  take(): ReturnType<typeof unwind> {
    return unwind(this.#undo, this.#clock)
  }
}
