/** The steady state must have held for so long, in ms, before the app counts as recovered. */
const HOLD_MS = 5_000
/** How often recovery is looked at, in ms. */
const LOOK_EVERY_MS = 500

/** What {@link Recoveries} is told with. */
export interface RecoveryOptions {
  /** Whether every SLI is good and the app healthy; `undefined` when that cannot be read. */
  readonly isSteady: () => Promise<boolean | undefined>
  /**
   * The seconds to show for a fault: they count up while the app has not recovered from it; NaN while that cannot be read; the final time; and 0, for
   * nothing to say.
   */
  readonly show: (fault: string, seconds: number) => void
  /** The app has recovered, after so many seconds. */
  readonly onRecovered: (injection: EndedInjection, seconds: number) => void
  /** For how long the final time is shown, in ms: long enough to be read, and no longer, since an alert stands on it. */
  readonly showFinalMs: number
}

/** An injection that is over. */
export interface EndedInjection {
  readonly id: string
  readonly fault: string
  readonly target: string
}

/**
 * Measures how long the app takes to recover once faults are over: from the end of the last fault in force until the steady state has held. What
 * it says of a recovery it says only while that lasts, and a moment longer: a value that stayed would keep its alert firing for ever.
 */
export class Recoveries {
  readonly #options: RecoveryOptions
  readonly #inForce = new Set<string>()
  #stop: () => void = () => undefined

  constructor(options: RecoveryOptions) {
    this.#options = options
  }

  /** A fault has landed. An earlier recovery can no longer be told from it, and is not measured any further. */
  landed(id: string): void {
    this.#inForce.add(id)
    this.close()
  }

  /** An injection is over. Nothing is measured if it never landed, or while another one is in force. @returns Whether a recovery is watched from now on. */
  ended(injection: EndedInjection): boolean {
    if (!this.#inForce.delete(injection.id) || this.#inForce.size > 0) return false
    this.close()
    this.#stop = this.#watch(injection)
    return true
  }

  /** Ends the recovery that is watched, if any. */
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
    /** One look after another: a slow one must not come after a later one, nor after the last. */
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
