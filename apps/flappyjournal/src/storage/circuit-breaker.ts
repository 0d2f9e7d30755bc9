/** The states of the breaker, and their values in the metric. */
export const BREAKER_STATES = { closed: 0, open: 1, 'half-open': 2 } as const

export type BreakerState = keyof typeof BREAKER_STATES

/** Options of {@link CircuitBreaker}. */
export interface BreakerOptions {
  /** The number of consecutive failures that opens the breaker. Default 5. */
  readonly threshold?: number
  /** How long the breaker stays open before the next attempt, in ms. Default 2,000. */
  readonly resetMs?: number
  readonly now?: () => number
}

/** A breaker that opens after consecutive failures or one timeout, tries again later, and closes after one success. */
export class CircuitBreaker {
  readonly #threshold: number
  readonly #resetMs: number
  readonly #now: () => number
  #failuresInARow = 0
  #state: BreakerState = 'closed'
  #openedAt = 0
  /** Called after each change of state. */
  onChange: (state: BreakerState) => void = () => undefined

  constructor({ threshold = 5, resetMs = 2_000, now = () => performance.now() }: BreakerOptions = {}) {
    this.#threshold = threshold
    this.#resetMs = resetMs
    this.#now = now
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Makes an open breaker half open after its time. @returns Whether the caller may try one call now. */
  tryHalfOpen(): boolean {
    if (this.#state !== 'open' || this.#now() - this.#openedAt < this.#resetMs) return false
    this.#change('half-open')
    return true
  }

  succeeded(): void {
    this.#failuresInARow = 0
    if (this.#state === 'half-open') this.#change('closed')
  }

  /** Records a failure. @param isTimeout Whether the backend did not answer, which opens the breaker at once. */
  failed(isTimeout: boolean): void {
    this.#failuresInARow += 1
    if (
      this.#state === 'half-open' ||
      (this.#state === 'closed' && (isTimeout || this.#failuresInARow >= this.#threshold))
    ) {
      this.#openedAt = this.#now()
      this.#change('open')
    }
  }

  #change(state: BreakerState): void {
    this.#state = state
    this.onChange(state)
  }
}
