import { Worker } from 'node:worker_threads'
import type { Job } from './services.js'

interface Thread {
  readonly worker: Worker
  task: { readonly done: (receipt: string) => void; readonly failed: (error: Error) => void } | undefined
}

/** Threads that write receipts. One that dies is replaced when it is needed. */
export class Receipts {
  readonly #size: number
  readonly #threads = new Set<Thread>()
  readonly #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#size = size
  }

  /** The threads that live. */
  readonly threads = (): readonly Worker[] => [...this.#threads].map(({ worker }) => worker)

  /** Whether a thread works. */
  get isBusy(): boolean {
    return [...this.#threads].some(({ task }) => task !== undefined)
  }

  /**
   * Has a receipt written by a thread.
   *
   * @param onDeath What to do when the thread dies meanwhile.
   * @throws Error if the thread dies, and `onDeath` is `fail`.
   */
  async write(job: Job, onDeath: 'fail' | 'forget'): Promise<string> {
    const thread = await this.#idle()
    return new Promise((resolve, reject) => {
      thread.task = { done: resolve, failed: onDeath === 'fail' ? reject : () => undefined }
      thread.worker.postMessage(job)
    })
  }

  /** Ends the threads that work: what hung in one run must not go on in the next. */
  reset(): void {
    this.#waiting.length = 0
    for (const thread of this.#threads) if (thread.task !== undefined) this.#end(thread)
  }

  close(): void {
    for (const thread of this.#threads) this.#end(thread)
  }

  async #idle(): Promise<Thread> {
    for (;;) {
      const idle = [...this.#threads].find(({ task }) => task === undefined)
      if (idle !== undefined) return idle
      if (this.#threads.size < this.#size) return this.#start()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #start(): Thread {
    const worker = new Worker(new URL('receipt-thread.mjs', import.meta.url))
    const thread: Thread = { worker, task: undefined }
    const free = (end: (task: NonNullable<Thread['task']>) => void): void => {
      if (thread.task !== undefined) end(thread.task)
      thread.task = undefined
      this.#waiting.shift()?.()
    }
    worker.unref()
    worker.on('message', (receipt: string) => free(({ done }) => done(receipt)))
    worker.once('exit', () => {
      this.#threads.delete(thread)
      free(({ failed }) => failed(new Error('The thread died.')))
    })
    this.#threads.add(thread)
    return thread
  }

  #end(thread: Thread): void {
    this.#threads.delete(thread)
    thread.task = undefined
    void thread.worker.terminate()
  }
}
