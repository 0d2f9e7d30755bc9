import { every, pause, realTime, within, type Cancel, type Time } from '../time/time.js'
import { StorageUnavailableError, type StorageAdapter } from './adapter.js'
import { CircuitBreaker, type BreakerOptions } from './circuit-breaker.js'
import { MemoryAdapter } from './memory-adapter.js'

/** The adapter methods that pass through breaker and retries. */
export type StorageMethod = 'get' | 'set' | 'del' | 'keys'

/** One attempt of a call, for the metrics. */
export interface Attempt {
  readonly method: StorageMethod
  readonly backend: string
  readonly tookMs: number
  readonly failed: boolean
}

/** Options of {@link ResilientStorage}. */
export interface StorageOptions extends Omit<BreakerOptions, 'now'> {
  /** The longest wait for the backend, in ms. Default 1,000. */
  readonly timeoutMs?: number
  /** The most attempts per call. Default 3. */
  readonly attempts?: number
  /** The pause between two attempts, in ms. Default 10. */
  readonly retryPauseMs?: number
  /** Whether memory serves while the breaker is open. Default `true`. */
  readonly hasFallback?: boolean
  /** Default: real time. */
  readonly time?: Time
}

/** An acknowledged write that has not reached the backend yet. */
type Pending = { readonly kind: 'set'; readonly value: unknown } | { readonly kind: 'del' }

/** Makes attempts at a write. */
type Attempts<T> = (attempt: () => Promise<void>) => Promise<T>

class TimeoutError extends Error {}

/** The pause between two checks of an open breaker, in ms. */
const PROBE_EVERY_MS = 100

/**
 * Storage that survives outages of its backend. Every call passes a breaker, is retried, and has a time limit. While
 * the breaker is open, memory serves reads and writes. When the backend is back, the last write of each key is
 * replayed. Until everything is replayed, memory keeps serving, so no acknowledged write is lost or overwritten by an
 * older one. A write that timed out may still reach the backend: then the last acknowledged write of its key is
 * replayed.
 */
export class ResilientStorage {
  readonly backend: StorageAdapter
  readonly breaker: CircuitBreaker
  readonly #options: Required<Pick<StorageOptions, 'timeoutMs' | 'attempts' | 'retryPauseMs' | 'hasFallback' | 'time'>>
  /** A copy of the whole store at start-up, updated by every acknowledged write. */
  readonly #mirror = new MemoryAdapter()
  readonly #pending = new Map<string, Pending>()
  /** The number of acknowledged writes. */
  #acknowledged = 0
  /** The number of writes under way, by key. */
  readonly #writing = new Map<string, number>()
  /** Keys of writes under way that a late write may have overwritten. */
  readonly #overwritten = new Set<string>()
  #probing: Promise<void> | undefined
  #stopProber: Cancel = () => undefined
  onAttempt: (attempt: Attempt) => void = () => undefined

  constructor(backend: StorageAdapter, options: StorageOptions = {}) {
    const { timeoutMs = 1_000, attempts = 3, retryPauseMs = 10, hasFallback = true, time = realTime } = options
    this.backend = backend
    this.breaker = new CircuitBreaker({ ...options, now: () => time.now() })
    this.#options = { timeoutMs, attempts, retryPauseMs, hasFallback, time }
  }

  /** The number of writes that wait to be replayed. */
  get pendingWrites(): number {
    return this.#pending.size
  }

  async init(): Promise<void> {
    await this.backend.init()
    for (const key of await this.backend.keys('')) await this.#mirror.set(key, await this.backend.get(key))
    this.#stopProber = every(this.#options.time, PROBE_EVERY_MS, () => void this.#probe())
  }

  async get(key: string): Promise<unknown> {
    if (this.#usesMemory()) return this.#mirror.get(key)
    return this.#call(
      'get',
      () => this.#read(key),
      () => this.#mirror.get(key),
    )
  }

  /**
   * Reads from the backend. Memory keeps what was read, so that it is found again if memory serves next: a write may have
   * reached the backend although it failed.
   */
  async #read(key: string): Promise<unknown> {
    const writes = this.#acknowledged
    const value = await this.backend.get(key)
    if (writes === this.#acknowledged && !this.#pending.has(key))
      await (value === undefined ? this.#mirror.del(key) : this.#mirror.set(key, value))
    return value
  }

  async set(key: string, value: unknown): Promise<void> {
    return this.#write('set', key, { kind: 'set', value }, () => this.backend.set(key, value))
  }

  async del(key: string): Promise<void> {
    return this.#write('del', key, { kind: 'del' }, () => this.backend.del(key))
  }

  async keys(prefix: string): Promise<string[]> {
    if (this.#usesMemory()) return this.#mirror.keys(prefix)
    return this.#call(
      'keys',
      () => this.backend.keys(prefix),
      () => this.#mirror.keys(prefix),
    )
  }

  async close(): Promise<void> {
    this.#stopProber()
    await this.#probing
    await this.#replay().catch(() => undefined)
    await this.backend.close()
  }

  async #write(method: 'set' | 'del', key: string, pending: Pending, write: () => Promise<void>): Promise<void> {
    const keep = async (): Promise<void> => {
      this.#pending.set(key, pending)
      await this.#remember(key, pending)
    }
    if (this.#usesMemory()) return keep()
    this.#writing.set(key, (this.#writing.get(key) ?? 0) + 1)
    try {
      const isKept = await this.#watched(key, write, (attempt) =>
        this.#call(
          method,
          () => attempt().then(() => false),
          () => keep().then(() => true),
        ),
      )
      // A kept write is already in memory.
      if (isKept) return
      if (this.#overwritten.has(key)) await keep()
      // A newer write of the same key that waits for its replay must not be overwritten.
      else if (!this.#pending.has(key)) await this.#remember(key, pending)
    } finally {
      const others = (this.#writing.get(key) ?? 1) - 1
      if (others > 0) this.#writing.set(key, others)
      else {
        this.#writing.delete(key)
        this.#overwritten.delete(key)
      }
    }
  }

  /** Attempts a write, and notices if it ends after its attempts were given up. */
  async #watched<T>(key: string, write: () => Promise<void>, attempts: Attempts<T>): Promise<T> {
    let isGivenUp = false
    const onEnd = (): void => {
      if (isGivenUp) this.#endedLate(key)
    }
    try {
      return await attempts(() => {
        const writing = write()
        writing.then(onEnd, onEnd)
        return writing
      })
    } finally {
      isGivenUp = true
    }
  }

  /** Replays the last acknowledged write of a key, which a late write may have overwritten. */
  #endedLate(key: string): void {
    // A write under way may become the last acknowledged one.
    if (this.#writing.has(key)) this.#overwritten.add(key)
    const value = this.#mirror.peek(key)
    this.#pending.set(key, value === undefined ? { kind: 'del' } : { kind: 'set', value })
  }

  #remember(key: string, write: Pending): Promise<void> {
    this.#acknowledged += 1
    return write.kind === 'set' ? this.#mirror.set(key, write.value) : this.#mirror.del(key)
  }

  /** Whether memory serves calls: while the breaker is not closed, and until everything is replayed. */
  #usesMemory(): boolean {
    if (this.breaker.state === 'closed' && this.#pending.size === 0) return false
    if (this.#options.hasFallback) return true
    throw new StorageUnavailableError('Storage is unavailable: its breaker is open.')
  }

  /**
   * Tries a call several times. If the breaker opens meanwhile, memory serves the call. Memory also serves a read whose
   * attempts all failed, since it has every acknowledged write and a list of thousands must not fail with one entry.
   */
  async #call<T>(method: StorageMethod, work: () => Promise<T>, fallback: () => Promise<T>): Promise<T> {
    let failure: unknown
    for (let attempt = 1; attempt <= this.#options.attempts; attempt += 1) {
      if (attempt > 1) await pause(this.#options.time, this.#options.retryPauseMs * attempt)
      // Another call may have opened the breaker meanwhile.
      if (this.breaker.state !== 'closed') break
      try {
        return await this.#attempt(method, work)
      } catch (error) {
        failure = error
      }
    }
    const isRead = method === 'get' || method === 'keys'
    if (this.#options.hasFallback && (isRead || this.breaker.state !== 'closed')) return fallback()
    throw new StorageUnavailableError('Storage is unavailable.', { cause: failure })
  }

  async #attempt<T>(method: StorageMethod, work: () => Promise<T>): Promise<T> {
    const { time, timeoutMs } = this.#options
    const startedAt = time.now()
    const note = (failed: boolean): void =>
      this.onAttempt({ method, backend: this.backend.backend, tookMs: time.now() - startedAt, failed })
    try {
      const result = await within(time, timeoutMs, work(), () => {
        throw new TimeoutError(`No answer within ${timeoutMs} ms.`)
      })
      note(false)
      this.breaker.succeeded()
      return result
    } catch (error) {
      note(true)
      this.breaker.failed(error instanceof TimeoutError)
      throw error
    }
  }

  /** Tests the backend of an open breaker and replays pending writes. Only one probe runs at a time. */
  #probe(): Promise<void> {
    return (this.#probing ??= this.#tryBackend().finally(() => (this.#probing = undefined)))
  }

  async #tryBackend(): Promise<void> {
    try {
      if (this.breaker.tryHalfOpen()) await this.#attempt('get', () => this.backend.get('mem:probe'))
      if (this.breaker.state === 'closed' && this.#pending.size > 0) await this.#replay()
    } catch {
      // The backend is still down. The breaker has recorded the failure, and pending writes keep waiting.
    }
  }

  async #replay(): Promise<void> {
    for (const [key, write] of this.#pending) {
      if (write.kind === 'set')
        await this.#watched(
          key,
          () => this.backend.set(key, write.value),
          (set) => this.#attempt('set', set),
        )
      else
        await this.#watched(
          key,
          () => this.backend.del(key),
          (del) => this.#attempt('del', del),
        )
      // A newer write of the same key may have arrived meanwhile. It stays pending.
      if (this.#pending.get(key) === write) this.#pending.delete(key)
    }
  }
}
