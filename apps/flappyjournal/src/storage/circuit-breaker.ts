/** As the metric shows it. */
export const BREAKER_STATES = { closed: 0, open: 1, 'half-open': 2 } as const

export type BreakerState = keyof typeof BREAKER_STATES

/** Options of {@link CircuitBreaker}. */
export interface BreakerOptions {
  /** Failures in a row that open it. Default 5. */
  readonly threshold?: number
  /** How long it stays open before it is tried again, in ms. Default 2,000. */
  readonly resetMs?: number
  readonly now?: () => number
}

/** Opens after failures in a row, or a timeout; tries again after a while; closes on one success. */
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

  /** Turns an open breaker whose time is up half open. @returns Whether it may be tried now: one call at a time. */
  tryHalfOpen(): boolean {
    if (this.#state !== 'open' || this.#now() - this.#openedAt < this.#resetMs) return false
    this.#change('half-open')
    return true
  }

  succeeded(): void {
    this.#failuresInARow = 0
    if (this.#state === 'half-open') this.#change('closed')
  }

  /** @param isTimeout A backend that does not answer is given no second chance. */
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
