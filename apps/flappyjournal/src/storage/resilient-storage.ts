import { setTimeout as pause } from 'node:timers/promises'
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
export interface StorageOptions extends BreakerOptions {
  /** The longest wait for the backend, in ms. Default 1,000. */
  readonly timeoutMs?: number
  /** The most attempts per call. Default 3. */
  readonly attempts?: number
  /** The pause between two attempts, in ms. Default 10. */
  readonly retryPauseMs?: number
  /** Whether memory serves while the breaker is open. Default `true`. */
  readonly hasFallback?: boolean
}

/** An acknowledged write that has not reached the backend yet. */
type Pending = { readonly kind: 'set'; readonly value: unknown } | { readonly kind: 'del' }

class TimeoutError extends Error {}

/** The pause between two checks of an open breaker, in ms. */
const PROBE_EVERY_MS = 100

/**
 * Storage that survives outages of its backend. Every call passes a breaker, is retried, and has a time limit. While
 * the breaker is open, memory serves reads and writes. When the backend is back, the last write of each key is
 * replayed. Until everything is replayed, memory keeps serving, so no acknowledged write is lost or overwritten by an
 * older one.
 */
export class ResilientStorage {
  readonly backend: StorageAdapter
  readonly breaker: CircuitBreaker
  readonly #options: Required<Pick<StorageOptions, 'timeoutMs' | 'attempts' | 'retryPauseMs' | 'hasFallback'>>
  /** A copy of the whole store at start-up, updated by every acknowledged write. */
  readonly #mirror = new MemoryAdapter()
  readonly #pending = new Map<string, Pending>()
  #probing: Promise<void> | undefined
  #prober: NodeJS.Timeout | undefined
  onAttempt: (attempt: Attempt) => void = () => undefined

  constructor(backend: StorageAdapter, options: StorageOptions = {}) {
    const { timeoutMs = 1_000, attempts = 3, retryPauseMs = 10, hasFallback = true } = options
    this.backend = backend
    this.breaker = new CircuitBreaker(options)
    this.#options = { timeoutMs, attempts, retryPauseMs, hasFallback }
  }

  /** The number of writes that wait to be replayed. */
  get pendingWrites(): number {
    return this.#pending.size
  }

  async init(): Promise<void> {
    await this.backend.init()
    for (const key of await this.backend.keys('')) await this.#mirror.set(key, await this.backend.get(key))
    this.#prober = setInterval(() => void this.#probe(), PROBE_EVERY_MS)
    this.#prober.unref()
  }

  async get(key: string): Promise<unknown> {
    if (this.#usesMemory()) return this.#mirror.get(key)
    return this.#call(
      'get',
      () => this.backend.get(key),
      () => this.#mirror.get(key),
    )
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
    clearInterval(this.#prober)
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
    const isKept = await this.#call(
      method,
      () => write().then(() => false),
      () => keep().then(() => true),
    )
    // A kept write is already in memory. A newer write of the same key that waits for its replay must not be
    // overwritten. A write that timed out never gets here, although it may still reach the backend.
    if (!isKept && !this.#pending.has(key)) await this.#remember(key, pending)
  }

  #remember(key: string, write: Pending): Promise<void> {
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
      if (attempt > 1) await pause(this.#options.retryPauseMs * attempt)
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
    const startedAt = performance.now()
    const note = (failed: boolean): void =>
      this.onAttempt({ method, backend: this.backend.backend, tookMs: performance.now() - startedAt, failed })
    try {
      const result = await withTimeout(work(), this.#options.timeoutMs)
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
      if (write.kind === 'set') await this.#attempt('set', () => this.backend.set(key, write.value))
      else await this.#attempt('del', () => this.backend.del(key))
      // A newer write of the same key may have arrived meanwhile. It stays pending.
      if (this.#pending.get(key) === write) this.#pending.delete(key)
    }
  }
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      work,
      new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new TimeoutError(`No answer within ${timeoutMs} ms.`)), timeoutMs)
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}
