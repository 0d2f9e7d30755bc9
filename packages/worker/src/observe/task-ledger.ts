/** How tasks fared, so far. Each is a number of tasks but `attempts` and `retried`, which count attempts. */
export interface TaskAccount {
  /** Tasks that were handed over: `handed = done + pending + failed + silent`. */
  readonly handed: number
  readonly attempts: number
  /** Tasks that came back with a result. */
  readonly done: number
  /** Tasks that are under way. */
  readonly pending: number
  /** Tasks whose attempts were all rejected: whoever handed them over was told. */
  readonly failed: number
  /** Tasks unanswered for longer than `patienceMs`: nobody was told. */
  readonly silent: number
  /** `failed + silent`. */
  readonly lost: number
  /** Attempts after the first of a task. */
  readonly retried: number
  /** Tasks whose result came, or whose effect took place, more than once. */
  readonly duplicated: number
}

interface Entry {
  attempts: number
  results: number
  effects: number
  /** When the attempts that are unanswered were handed over. */
  readonly open: Set<{ readonly at: number }>
}

/** What the ledger can still tell of a task. */
type Fate = 'done' | 'pending' | 'failed' | 'silent'

/** What tasks come to, by number. */
type Tally = Record<Fate | 'attempts' | 'retried' | 'duplicated', number>

/** What was handed to a pool, and what came back. */
export class TaskLedger {
  readonly #entries = new Map<unknown, Entry>()
  /** Done, once, at the first attempt, oldest first: all there is to say of these is their number. */
  readonly #unremarkable = new Set<unknown>()
  /** Others without an unanswered attempt, oldest first: forgotten when there is no unremarkable one. */
  readonly #over = new Set<unknown>()
  readonly #patienceMs: number
  readonly #remembered: number
  readonly #forgotten: Tally = { done: 0, pending: 0, failed: 0, silent: 0, attempts: 0, retried: 0, duplicated: 0 }

  constructor(patienceMs: number, remembered: number) {
    this.#patienceMs = patienceMs
    this.#remembered = remembered
  }

  /** An attempt at a task. @returns Tells how it ended. */
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

  /** A task took effect. */
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

  /** The tasks that were lost, oldest first. */
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
    // None of its attempts is unanswered: what it came to does not depend on the time.
    this.#count(this.#forgotten, entry, 0)
  }
}
