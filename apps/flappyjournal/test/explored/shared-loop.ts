import type { Worker } from 'node:worker_threads'
import { superviseLoop } from '../../src/supervisor.js'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * The loop that all runs share: a worker thread, which lives and dies in real time. For runs to be alike, a request at which the loop
 * is killed goes on when the thread has ended, and ends when its successor works.
 */
export class SharedLoop {
  readonly supervisor = superviseLoop({ reportEveryMs: 20, firstPauseMs: 1, stableAfterMs: 0, silenceMs: 60_000 })
  #kill: Promise<void> | undefined

  /** Kills the worker. */
  async kill(end: (workers: () => readonly Worker[]) => void | Promise<void>): Promise<void> {
    this.#kill = Promise.resolve(end(() => this.supervisor.workers()))
    return this.#kill
  }

  /** Waits until the worker has ended, if this call is one at which it is killed. */
  async killed(): Promise<void> {
    await turn()
    await this.#kill?.catch(() => undefined)
    this.#kill = undefined
    // The kill is told to have landed before the call goes on.
    await turn()
  }

  /** Waits until the loop reports. */
  async untilUp(signal: AbortSignal): Promise<void> {
    while (this.supervisor.hz === 0) {
      signal.throwIfAborted()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  stop(): Promise<void> {
    return this.supervisor.stop()
  }
}
