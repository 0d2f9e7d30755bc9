/** How long the steady state must hold before the app counts as recovered, in ms. */
const HOLD_MS = 5_000
/** The pause between two checks of the steady state, in ms. */
const LOOK_EVERY_MS = 500

/** Options of {@link Recoveries}. */
export interface RecoveryOptions {
  /** Returns whether every SLI is good and the app is healthy; `undefined` if that cannot be read. */
  readonly isSteady: () => Promise<boolean | undefined>
  /**
   * Shows the recovery time of a fault, in seconds. The value increases until the app has recovered, then is the final
   * time, and later 0. NaN: the state cannot be read.
   */
  readonly show: (fault: string, seconds: number) => void
  /** Called with the recovery time, in seconds, when the app has recovered. */
  readonly onRecovered: (injection: EndedInjection, seconds: number) => void
  /** How long the final time is shown, in ms: long enough to be scraped, but short, because an alert depends on it. */
  readonly showFinalMs: number
}

/** An injection that has ended. */
export interface EndedInjection {
  readonly id: string
  readonly fault: string
  readonly target: string
}

/**
 * Measures how long the app takes to recover, from the end of the last fault in force until the steady state has held.
 * The value is shown during the recovery and for a moment after it. A value that stayed would keep its alert firing
 * forever.
 */
export class Recoveries {
  readonly #options: RecoveryOptions
  readonly #inForce = new Set<string>()
  #stop: () => void = () => undefined

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** Records that a fault has landed. It ends the measurement of an earlier recovery, which it would distort. */
  landed(id: string): void {
    this.#inForce.add(id)
    this.close()
  }

  /**
   * Records that an injection has ended. No recovery is measured if it never landed, or while another one is in force.
   *
   * @returns Whether the measurement of a recovery starts.
   */
  ended(injection: EndedInjection): boolean {
    if (!this.#inForce.delete(injection.id) || this.#inForce.size > 0) return false
    this.close()
    this.#stop = this.#watch(injection)
    return true
  }

  /** Stops the current measurement, if any. */
  close(): void {
    this.#stop()
    this.#stop = () => undefined
  }

  #watch(injection: EndedInjection): () => void {
    const { isSteady, show, onRecovered, showFinalMs } = this.#options
    const startedAt = performance.now()
    let goodSince: number | undefined
    let isOver = false
    let timer: NodeJS.Timeout
    const after = (ms: number, work: () => void): void => {
      timer = setTimeout(work, ms)
      timer.unref()
    }
    /** Checks the steady state. Checks run one after another, so that a slow check cannot overwrite a later result. */
    const look = async (): Promise<void> => {
      const isGood = await isSteady()
      if (isOver) return
      const now = performance.now()
      const seconds = (now - startedAt) / 1_000
      if (isGood === true) goodSince ??= now
      else goodSince = undefined
      show(injection.fault, isGood === undefined ? Number.NaN : seconds)
      if (goodSince === undefined || now - goodSince < HOLD_MS) after(LOOK_EVERY_MS, () => void look())
      else {
        onRecovered(injection, seconds)
        after(showFinalMs, () => show(injection.fault, 0))
      }
    }
    after(LOOK_EVERY_MS, () => void look())
    return () => {
      isOver = true
      clearTimeout(timer)
      show(injection.fault, 0)
    }
  }
}
