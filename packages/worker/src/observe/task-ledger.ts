/** The counts of a pool's tasks so far. All count tasks, except `attempts` and `retried`, which count attempts. */
export interface TaskAccount {
  /** Tasks handed to the pool: `handed = done + pending + failed + silent`. */
  readonly handed: number
  readonly attempts: number
  /** Tasks with a result. */
  readonly done: number
  /** Tasks in progress. */
  readonly pending: number
  /** Tasks whose attempts were all rejected, so that the caller knows of the loss. */
  readonly failed: number
  /** Tasks unanswered for longer than `patienceMs`, so that the caller does not know of the loss. */
  readonly silent: number
  /** `failed + silent`. */
  readonly lost: number
  /** Attempts after a task's first. */
  readonly retried: number
  /** Tasks with more than one result or more than one effect. */
  readonly duplicated: number
}

interface Entry {
  attempts: number
  results: number
  effects: number
  /** The start times of the unanswered attempts. */
  readonly open: Set<{ readonly at: number }>
}

/** The state of a task. */
type Fate = 'done' | 'pending' | 'failed' | 'silent'

/** The counts that make up a {@link TaskAccount}. */
type Tally = Record<Fate | 'attempts' | 'retried' | 'duplicated', number>

/** Records the tasks handed to a pool and their outcomes. */
export class TaskLedger {
  readonly #entries = new Map<unknown, Entry>()
  /** Tasks done once, at the first attempt, oldest first. They are forgotten first, since only their number matters. */
  readonly #unremarkable = new Set<unknown>()
  /** Other tasks without an unanswered attempt, oldest first. They are forgotten when no unremarkable task is left. */
  readonly #over = new Set<unknown>()
  readonly #patienceMs: number
  readonly #remembered: number
  readonly #forgotten: Tally = { done: 0, pending: 0, failed: 0, silent: 0, attempts: 0, retried: 0, duplicated: 0 }

  constructor(patienceMs: number, remembered: number) {
    this.#patienceMs = patienceMs
    this.#remembered = remembered
  }

  /** Records an attempt at a task. @returns A function that records the outcome of the attempt. */
  hand(id: unknown, at: number): (outcome: 'result' | 'failure') => void {
    const entry = this.#entry(id)
    const attempt = { at }
    entry.attempts += 1
    entry.open.add(attempt)
    this.#unremarkable.delete(id)
    this.#over.delete(id)
    return (outcome) => {
      entry.open.delete(attempt)
      if (outcome === 'result') entry.results += 1
      if (entry.open.size > 0) return
      if (entry.attempts === 1 && entry.results === 1 && entry.effects <= 1) this.#unremarkable.add(id)
      else this.#over.add(id)
    }
  }

  /** Records that a task took effect. */
  effect(id: unknown): void {
    const entry = this.#entry(id)
    entry.effects += 1
    if (entry.effects > 1) this.#unremarkable.delete(id)
    if (entry.open.size === 0 && !this.#unremarkable.has(id)) this.#over.add(id)
  }

  account(now: number): TaskAccount {
    const tally = { ...this.#forgotten }
    for (const entry of this.#entries.values()) this.#count(tally, entry, now)
    const { done, pending, failed, silent, attempts, retried, duplicated } = tally
    return {
      handed: done + pending + failed + silent,
      attempts,
      done,
      pending,
      failed,
      silent,
      lost: failed + silent,
      retried,
      duplicated,
    }
  }

  /** The ids of lost tasks, oldest first. */
  lost(now: number): unknown[] {
    return [...this.#entries]
      .filter(([, entry]) => entry.attempts > 0 && ['failed', 'silent'].includes(this.#fateOf(entry, now)))
      .map(([id]) => id)
  }

  #count(tally: Tally, entry: Entry, now: number): void {
    if (Math.max(entry.results, entry.effects) > 1) tally.duplicated += 1
    if (entry.attempts === 0) return
    tally.attempts += entry.attempts
    tally.retried += entry.attempts - 1
    tally[this.#fateOf(entry, now)] += 1
  }

  #fateOf({ results, open }: Entry, now: number): Fate {
    if (results > 0) return 'done'
    if (open.size === 0) return 'failed'
    return [...open].every(({ at }) => now - at > this.#patienceMs) ? 'silent' : 'pending'
  }

  #entry(id: unknown): Entry {
    let entry = this.#entries.get(id)
    if (entry === undefined) {
      this.#entries.set(id, (entry = { attempts: 0, results: 0, effects: 0, open: new Set() }))
      this.#forgetOne()
    }
    return entry
  }

  #forgetOne(): void {
    const ids = this.#unremarkable.size > 0 ? this.#unremarkable : this.#over
    const [oldest] = ids
    const entry = this.#entries.get(oldest)
    if (this.#entries.size <= this.#remembered || ids.size === 0 || entry === undefined) return
    ids.delete(oldest)
    this.#entries.delete(oldest)
    // The task has no unanswered attempt, so its state does not depend on the time.
    this.#count(this.#forgotten, entry, 0)
  }
}
