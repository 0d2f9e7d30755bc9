import { randomUUID } from 'node:crypto'
import { BroadcastChannel } from 'node:worker_threads'

/** Evaluates code inside the blocked worker. */
export type Evaluate = (expression: string) => Promise<unknown>

/** Indexes into the shared memory: the number of the last renewal (0: no block), and whether the worker reads it or is about to. */
const RENEWAL = 0
const LISTENING = 1

/**
 * Blocks the event loop of one worker, from within a turn of that loop.
 *
 * The inspector is used only once, to open a channel inside the worker. Everything else goes through shared memory: an
 * inspector message to a worker that is just ending may crash the process (`MainThreadInterface::Post` aborts while its
 * object is being destroyed, seen on Node.js 20), so there must not be one every few ms. The worker reads a monotonic clock
 * and ends its block by itself.
 */
export class WorkerBlock {
  readonly #evaluate: Evaluate
  readonly #name = `@chaos/worker.block.${randomUUID()}`
  readonly #channel = new BroadcastChannel(this.#name)
  readonly #shared = new Int32Array(new SharedArrayBuffer(8))
  #renewals = 0
  #isOpen = false

  /** @param blockMs How long each renewal blocks the worker, in ms. */
  constructor(blockMs: number, evaluate: Evaluate) {
    this.#evaluate = evaluate
    this.#channel.unref()
    void evaluate(open(this.#name, blockMs)).then(
      () => {
        this.#isOpen = true
        if (Atomics.load(this.#shared, RENEWAL) !== 0) this.#wake()
      },
      () => undefined,
    )
  }

  /** Starts or renews the block. Its time begins when the worker reads the renewal. */
  renew(): void {
    Atomics.store(this.#shared, RENEWAL, (this.#renewals += 1))
    if (this.#isOpen) this.#wake()
  }

  /** Ends the block at once. */
  release(): void {
    Atomics.store(this.#shared, RENEWAL, 0)
  }

  /** Ends the block and closes the channel inside the worker. */
  async end(): Promise<void> {
    this.release()
    if (this.#isOpen) this.#channel.postMessage(null)
    this.#channel.close()
    // The channel may still be opening.
    if (!this.#isOpen) await this.#evaluate(close(this.#name)).catch(() => undefined)
  }

  /** Sends one message, and no other until it is read: messages would pile up in a worker whose loop does not run. */
  #wake(): void {
    if (Atomics.compareExchange(this.#shared, LISTENING, 0, 1) === 0) this.#channel.postMessage(this.#shared)
  }
}

/**
 * Code that opens the channel inside the worker. After it stops listening, it checks for a renewal that came meanwhile.
 * Whichever thread sets LISTENING first handles that renewal.
 */
const open = (name: string, blockMs: number): string => `(() => {
  const channel = new BroadcastChannel('${name}')
  channel.unref()
  channel.onmessage = ({ data: shared }) => {
    if (shared === null) {
      channel.close()
      return
    }
    let seen
    do {
      let until = 0
      do {
        const renewal = Atomics.load(shared, ${RENEWAL})
        if (renewal !== seen) until = renewal === 0 ? 0 : performance.now() + ${blockMs}
        seen = renewal
      } while (performance.now() < until)
      Atomics.store(shared, ${LISTENING}, 0)
    } while (Atomics.load(shared, ${RENEWAL}) !== seen && Atomics.compareExchange(shared, ${LISTENING}, 0, 1) === 0)
  }
})()`

const close = (name: string): string => `(() => {
  const channel = new BroadcastChannel('${name}')
  channel.postMessage(null)
  channel.close()
})()`
