import { randomUUID } from 'node:crypto'
import { BroadcastChannel } from 'node:worker_threads'

/** Evaluates code inside the worker that is blocked. */
export type Evaluate = (expression: string) => Promise<unknown>

/** What the two threads share: how many times the worker was told to block (0: go on), and whether it is listening to that or about to. */
const TOLD = 0
const LISTENING = 1

/**
 * The block of one worker's event loop, in turns of its own loop.
 *
 * The inspector is asked once, to open a channel inside; all that follows goes through memory that both threads share. Each message of the inspector to a
 * worker that is just being ended may take the whole process along (`MainThreadInterface::Post` aborts where its object is being destroyed, seen on
 * Node.js 20), so that there must not be one every few ms. The worker looks at a monotonic clock by itself: nobody need live to end its block.
 */
export class WorkerBlock {
  readonly #evaluate: Evaluate
  readonly #name = `@chaos/worker.block.${randomUUID()}`
  readonly #channel = new BroadcastChannel(this.#name)
  readonly #shared = new Int32Array(new SharedArrayBuffer(8))
  #told = 0
  #isOpen = false

  /** @param blockMs How long the worker is blocked each time that it is told */
  constructor(blockMs: number, evaluate: Evaluate) {
    this.#evaluate = evaluate
    this.#channel.unref()
    void evaluate(open(this.#name, blockMs)).then(
      () => {
        this.#isOpen = true
        if (Atomics.load(this.#shared, TOLD) !== 0) this.#wake()
      },
      () => undefined,
    )
  }

  /** Blocks the worker from when it hears of it, or prolongs its block from then. */
  tell(): void {
    Atomics.store(this.#shared, TOLD, (this.#told += 1))
    if (this.#isOpen) this.#wake()
  }

  /** Lets the worker go on at once. */
  release(): void {
    Atomics.store(this.#shared, TOLD, 0)
  }

  /** Leaves the worker as it was. */
  async end(): Promise<void> {
    this.release()
    if (this.#isOpen) this.#channel.postMessage(null)
    this.#channel.close()
    // Not open yet, but on its way there.
    if (!this.#isOpen) await this.#evaluate(close(this.#name)).catch(() => undefined)
  }

  /** One message, and none as long as it was not answered: they would pile up in a worker that has no turn. */
  #wake(): void {
    if (Atomics.compareExchange(this.#shared, LISTENING, 0, 1) === 0) this.#channel.postMessage(this.#shared)
  }
}

/** The worker is told again before it stops listening, or hears it as the next message: who sees the other's word first sends it on. */
const open = (name: string, blockMs: number): string => `(() => {
  const channel = new BroadcastChannel('${name}')
  channel.unref()
  channel.onmessage = ({ data: shared }) => {
    if (shared === null) {
      channel.close()
      return
    }
    let heard
    do {
      let until = 0
      do {
        const told = Atomics.load(shared, ${TOLD})
        if (told !== heard) until = told === 0 ? 0 : performance.now() + ${blockMs}
        heard = told
      } while (performance.now() < until)
      Atomics.store(shared, ${LISTENING}, 0)
    } while (Atomics.load(shared, ${TOLD}) !== heard && Atomics.compareExchange(shared, ${LISTENING}, 0, 1) === 0)
  }
})()`

const close = (name: string): string => `(() => {
  const channel = new BroadcastChannel('${name}')
  channel.postMessage(null)
  channel.close()
})()`
