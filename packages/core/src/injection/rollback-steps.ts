import type { Clock } from '../basics/clock.js'
import { printable } from '../basics/text.js'
import type { AnyFunction, Below } from '../patch/below.js'
import { patch, type PatchOptions, type Unpatch } from '../patch/patch.js'
import { unwind, type UndoStep } from './undo-stack.js'

/** The changes of one injection and their undo steps. */
export class RollbackSteps {
  readonly #id: string
  readonly #clock: Clock
  readonly #warn: (message: string) => void
  readonly #undo: UndoStep[] = []
  readonly #layers: Unpatch[] = []
  /** The number of steps recorded. */
  #steps = 0

  constructor(id: string, clock: Clock, warn: (message: string) => void) {
    this.#id = id
    this.#clock = clock
    this.#warn = warn
  }

  /** Patches a member and records the undo step. */
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

  /** Names an undo step for the message of its failure. */
  step(name: string, undo: UndoStep['undo']): UndoStep {
    this.#steps += 1
    return { name: `Undo step ${this.#steps} of ${this.#id}${name === '' ? '' : ` (${printable(name)})`}`, undo }
  }

  push(step: UndoStep): void {
    this.#undo.push(step)
  }

  /** Makes released work skip this injection's layers. Otherwise each of many released events would pass each of many ended layers. */
  stepAside(): void {
    for (const layer of this.#layers) layer.stepAside()
  }

  /** Runs all undo steps. @returns The failures; see {@link unwind}. */
  run(): ReturnType<typeof unwind> {
    return unwind(this.#undo, this.#clock)
  }
}
