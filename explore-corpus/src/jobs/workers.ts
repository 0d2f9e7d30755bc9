import type { Time } from '../shared/time.js'
import type { Receipts } from './receipts.js'
import type { JobQueue, Lease, Ledger, Pool } from './services.js'

/** What can be wrong with the workers. */
export type JobsBug =
  | 'connection-leaked'
  | 'task-lost'
  | 'check-then-act'
  | 'requeued-at-the-end'
  | 'worker-ends-with-an-error'
  | 'thread-dies-unheard'

/** What the workers work with. */
export interface JobsServices {
  readonly queue: JobQueue
  readonly pool: Pool
  readonly ledger: Ledger
  readonly receipts: Receipts
}

/** How long a worker may work on a job before another one gets it. */
export const LEASE_MS = 100
const POLL_MS = 50
const WRITING_MS = 10

/** Workers that post the jobs of a queue, each with a receipt, over a pool of connections. */
export class Workers {
  readonly #services: JobsServices
  readonly #time: Time
  readonly #bugs: ReadonlySet<JobsBug>

  constructor(services: JobsServices, time: Time, bugs: ReadonlySet<JobsBug>) {
    this.#services = services
    this.#time = time
    this.#bugs = bugs
  }

  /** Works until the queue is empty, or the time is over. */
  async drain(workers: number, forMs: number): Promise<void> {
    const until = this.#time.now() + forMs
    await Promise.all(Array.from({ length: workers }, () => this.#work(until)))
  }

  async #work(until: number): Promise<void> {
    const { queue } = this.#services
    const leaseMs = this.#bugs.has('task-lost') ? Number.POSITIVE_INFINITY : LEASE_MS
    while (this.#time.now() < until) {
      const claimed = await queue.claim(leaseMs).catch(() => 'wait' as const)
      if (claimed === 'empty') return
      if (claimed === 'wait' || !(await this.#run(claimed))) await this.#time.sleep(POLL_MS)
    }
  }

  /** @returns Whether the job was posted. */
  async #run(lease: Lease): Promise<boolean> {
    const { queue, pool } = this.#services
    try {
      await pool.acquire()
    } catch {
      await this.#giveBack(lease).catch(leaseEnds)
      return false
    }
    const isCareless = this.#bugs.has('connection-leaked')
    try {
      await this.#post(lease)
    } catch {
      if (!isCareless) pool.release()
      await this.#giveBack(lease)
        .then(() => isCareless && pool.release())
        .catch(leaseEnds)
      return false
    }
    pool.release()
    const completed = queue.complete(lease)
    await (this.#bugs.has('worker-ends-with-an-error') ? completed : completed.catch(leaseEnds))
    return true
  }

  async #post({ job }: Lease): Promise<void> {
    const { ledger, receipts } = this.#services
    const written = receipts.write(job, this.#bugs.has('thread-dies-unheard') ? 'forget' : 'fail')
    // In the time of the app, all threads are equally fast.
    const receipt = await written.finally(() => this.#time.sleep(WRITING_MS))
    if (!this.#bugs.has('check-then-act')) await ledger.post(job, receipt, job.id)
    else if (!(await ledger.has(job))) await ledger.post(job, receipt)
  }

  #giveBack(lease: Lease): Promise<void> {
    const { queue } = this.#services
    return this.#bugs.has('requeued-at-the-end') ? queue.requeue(lease) : queue.giveBack(lease)
  }
}

/** What the queue does not hear is no loss: the lease of the job ends by itself. */
const leaseEnds = (): undefined => undefined
