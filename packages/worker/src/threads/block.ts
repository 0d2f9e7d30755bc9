import { randomUUID } from 'node:crypto'
import { BroadcastChannel } from 'node:worker_threads'

/** What blocks one worker. */
export interface BlockPlan {
  /** How long each chosen period blocks the worker, in ms. */
  readonly blockMs: number
  /** Evaluates code inside the worker. */
  readonly evaluate: (expression: string) => Promise<unknown>
  /** Decides whether a period blocks the worker. Called while the worker waits for the answer. */
  readonly isChosen: () => boolean
}

/** Indexes into the shared memory: where the worker is, and the last decision (its number, negative if the period was not chosen). */
const PLACE = 0
const DECISION = 1

/** Where the worker is: in its own code, in its own code with a message waiting, in ours, or in ours until a decision is made. */
const AWAY = 0
const ASKED = 1
const HERE = 2
const HELD = 3

/** The longest time that a worker waits for a decision, in ms. It mostly takes far less than 1 ms, on a busy machine up to 100 ms. */
const PATIENCE_MS = 250

/**
 * Blocks the event loop of one worker, from within a turn of that loop.
 *
 * Each period is decided while the worker runs our code and cannot leave it, so a chosen period is one that blocks. A worker
 * whose loop does not turn, for example in `Atomics.wait`, has no periods meanwhile.
 *
 * The inspector is used only once, to open a channel inside the worker. Everything else goes through shared memory: an
 * inspector message to a worker that is just ending may crash the process (`MainThreadInterface::Post` aborts while its
 * object is being destroyed, seen on Node.js 20), so there must not be one every few ms. The worker reads a monotonic clock
 * and ends its block by itself.
 */
export class WorkerBlock {
  readonly #plan: BlockPlan
  readonly #name = `@chaos/worker.block.${randomUUID()}`
  readonly #channel = new BroadcastChannel(this.#name)
  readonly #shared = new Int32Array(new SharedArrayBuffer(8))
  #decisions = 0
  #isOpen = false
  #isUndecided = false

  constructor(plan: BlockPlan) {
    this.#plan = plan
    // The worker has read the question. On a busy machine its word may come after it has left again.
    this.#channel.onmessage = () => {
      if (this.#isUndecided && !this.#decide()) this.#ask()
    }
    this.#channel.unref()
    void plan.evaluate(open(this.#name, plan.blockMs)).then(
      () => {
        this.#isOpen = true
        if (this.#isUndecided) this.#ask()
      },
      () => undefined,
    )
  }

  /**
   * Begins a period. It is decided at once if the worker is blocked already, else when the worker reads the question.
   *
   * @returns `false` if the worker has not read the question of an earlier period yet.
   */
  begin(): boolean {
    const wasUndecided = this.#isUndecided
    this.#isUndecided = true
    if (!this.#decide() && this.#isOpen) this.#ask()
    return !wasUndecided
  }

  /** Ends the block at once, and closes the channel inside the worker. */
  async end(): Promise<void> {
    this.#isUndecided = false
    this.#settle(false)
    // A question that is still unread.
    Atomics.compareExchange(this.#shared, PLACE, ASKED, AWAY)
    if (this.#isOpen) this.#channel.postMessage(null)
    this.#channel.close()
    // The channel may still be opening.
    if (!this.#isOpen) await this.#plan.evaluate(close(this.#name)).catch(() => undefined)
  }

  /** Decides the period, if the worker is here to obey. Holds the worker meanwhile, so that it does not leave undecided. */
  #decide(): boolean {
    if (Atomics.compareExchange(this.#shared, PLACE, HERE, HELD) !== HERE) return false
    this.#isUndecided = false
    let isChosen = false
    try {
      isChosen = this.#plan.isChosen()
    } finally {
      this.#settle(isChosen)
      Atomics.compareExchange(this.#shared, PLACE, HELD, HERE)
    }
    return true
  }

  #settle(isChosen: boolean): void {
    this.#decisions += 1
    Atomics.store(this.#shared, DECISION, isChosen ? this.#decisions : -this.#decisions)
    Atomics.notify(this.#shared, DECISION)
  }

  /** Sends one message, and no other until it is read: messages would pile up in a worker whose loop does not run. */
  #ask(): void {
    if (Atomics.compareExchange(this.#shared, PLACE, AWAY, ASKED) === AWAY) this.#channel.postMessage(this.#shared)
  }
}

/**
 * Code that opens the channel inside the worker. The worker waits for a decision, and spins as long as periods are chosen.
 * It leaves in spite of a decision that does not come: the thread that makes it may have been terminated.
 */
const open = (name: string, blockMs: number): string => `(() => {
  const channel = new BroadcastChannel('${name}')
  channel.unref()
  channel.onmessage = ({ data: shared }) => {
    if (shared === null) {
      channel.close()
      return
    }
    let seen = Atomics.load(shared, ${DECISION})
    let until = 0
    if (Atomics.compareExchange(shared, ${PLACE}, ${ASKED}, ${HERE}) !== ${ASKED}) return
    channel.postMessage('here')
    Atomics.wait(shared, ${DECISION}, seen, ${PATIENCE_MS})
    let latest = performance.now() + 1000
    const stays = () => {
      const decision = Atomics.load(shared, ${DECISION})
      const now = performance.now()
      if (decision !== seen) {
        until = decision < 0 ? now : now + ${blockMs}
        latest = until + 1000
      }
      seen = decision
      return now < until || (Atomics.compareExchange(shared, ${PLACE}, ${HERE}, ${AWAY}) !== ${HERE} && now < latest)
    }
    while (stays());
    Atomics.compareExchange(shared, ${PLACE}, ${HELD}, ${AWAY})
  }
})()`

const close = (name: string): string => `(() => {
  const channel = new BroadcastChannel('${name}')
  channel.postMessage(null)
  channel.close()
})()`
