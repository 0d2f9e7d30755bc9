import { reply } from '../shared/reply.js'

/** A deposit to an account. The jobs of one account are done in order. */
export interface Job {
  readonly id: string
  readonly account: string
}

/** A job that is handed to a worker for some time. */
export interface Lease {
  readonly job: Job
  /** Once the job has a newer lease, an older one counts no more. */
  readonly number: number
}

interface Entry {
  readonly job: Job
  lease: number
  leasedUntil: number
}

/** A queue that hands out leases. A job whose lease is over is handed out again. */
export class JobQueue {
  readonly #now: () => number
  readonly #added = new Set<string>()
  #entries: Entry[] = []
  #leases = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Adds a job, once. */
  async add(job: Job): Promise<void> {
    if (!this.#added.has(job.id)) this.#entries.push({ job, lease: 0, leasedUntil: 0 })
    this.#added.add(job.id)
    await reply()
  }

  /**
   * Leases the oldest job whose account has no older one.
   *
   * @param leaseMs `Infinity`: the job is handed out only once.
   * @returns What to do: a job, nothing yet, or nothing more.
   */
  async claim(leaseMs: number): Promise<Lease | 'wait' | 'empty'> {
    const claimed = this.#lease(leaseMs)
    await reply()
    return claimed
  }

  async complete(lease: Lease): Promise<void> {
    this.#entries = this.#entries.filter((entry) => !isOf(entry, lease))
    await reply()
  }

  /** Gives a job back. It keeps its place. */
  async giveBack(lease: Lease): Promise<void> {
    for (const entry of this.#entries) if (isOf(entry, lease)) entry.leasedUntil = 0
    await reply()
  }

  /** Gives a job back, behind all others. */
  async requeue(lease: Lease): Promise<void> {
    const entry = this.#entries.find((one) => isOf(one, lease))
    if (entry !== undefined) {
      this.#entries = [...this.#entries.filter((one) => one !== entry), { ...entry, leasedUntil: 0 }]
    }
    await reply()
  }

  get length(): number {
    return this.#entries.length
  }

  reset(): void {
    this.#added.clear()
    this.#entries = []
    this.#leases = 0
  }

  #lease(leaseMs: number): Lease | 'wait' | 'empty' {
    if (this.#entries.length === 0) return 'empty'
    const free = this.#entries.find(
      (entry, at) =>
        entry.leasedUntil <= this.#now() &&
        !this.#entries.slice(0, at).some(({ job }) => job.account === entry.job.account),
    )
    if (free === undefined) return 'wait'
    this.#leases += 1
    free.lease = this.#leases
    free.leasedUntil = this.#now() + leaseMs
    return { job: free.job, number: free.lease }
  }
}

const isOf = (entry: Entry, { job, number }: Lease): boolean => entry.job.id === job.id && entry.lease === number

/** The ledger of the accounts. */
export class Ledger {
  readonly #posted: { readonly id: string | undefined; readonly job: string; readonly receipt: string }[] = []

  /** @param id A posting with a known id is not made again. */
  async post({ id: job }: Job, receipt: string, id?: string): Promise<void> {
    const isRepeated = id !== undefined && this.#posted.some((posting) => posting.id === id)
    if (!isRepeated) this.#posted.push({ id, job, receipt })
    await reply()
  }

  async has(job: Job): Promise<boolean> {
    const isPosted = this.#posted.some((posting) => posting.job === job.id)
    await reply()
    return isPosted
  }

  /** The receipts of the jobs that were posted, in order. */
  get receipts(): readonly string[] {
    return this.#posted.map(({ receipt }) => receipt)
  }

  reset(): void {
    this.#posted.length = 0
  }
}

/** A pool of connections to the ledger. */
export class Pool {
  readonly #size: number
  readonly #waiting: (() => void)[] = []
  inUse = 0

  constructor(size: number) {
    this.#size = size
  }

  /** Resolves when a connection is free. */
  async acquire(): Promise<void> {
    if (this.inUse === this.#size) return new Promise((resolve) => this.#waiting.push(resolve))
    this.inUse += 1
    return reply()
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.inUse -= 1
    else next()
  }

  reset(): void {
    this.#waiting.length = 0
    this.inUse = 0
  }
}
