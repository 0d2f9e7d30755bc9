import { systemClock, type Clock } from '@chaos/core'
import { livingOf, type Mortal, type MortalTarget } from '../targets/mortals.js'

/** One death, and what became of it. Times are in ms since the epoch. */
export interface Recovery {
  readonly diedAt: number
  /** When a replacement was first seen; `undefined`: not yet. */
  readonly replacedAt: number | undefined
  /** When the replacement's first good message was heard; `undefined`: not yet. */
  readonly goodAt: number | undefined
  readonly replacedAfterMs: number | undefined
  readonly goodAfterMs: number | undefined
}

/** What was seen of a target so far: the evidence for "it healed". */
export interface WorkerObservation {
  readonly deaths: number
  readonly restarts: number
  /** Oldest first; the last 1,000. */
  readonly recoveries: readonly Recovery[]
  /** Whether every death was replaced, and every replacement has spoken. */
  readonly healed: boolean
  /** Stops looking, and leaves no listener. */
  close(): void
}

/** Options of {@link observeWorkers}. */
export interface ObserveWorkersOptions {
  /** Which message counts as good. Default: any. */
  readonly isGood?: (message: unknown) => boolean
  /** How often the target is looked at, in ms. Default 10. */
  readonly lookEveryMs?: number
  /** Default: the real clock. */
  readonly clock?: Clock
}

interface Listened {
  on(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
}

interface Open {
  diedAt: number
  replacedAt?: number
  goodAt?: number
}

const MAX_RECOVERIES = 1_000

/**
 * Watches the workers of a target die and come back, without touching them: it listens, and looks at the target every so many ms.
 * A replacement answers for the oldest death that has none yet.
 */
export function observeWorkers(target: MortalTarget, { isGood = () => true, lookEveryMs = 10, clock = systemClock }: ObserveWorkersOptions = {}): WorkerObservation {
  const met = new Map<Mortal, (message: unknown) => void>()
  const all: Open[] = []
  let deaths = 0
  let restarts = 0
  let isFirstLook = true

  function meet(one: Mortal, now: number): void {
    const answers = isFirstLook ? undefined : all.find(({ replacedAt }) => replacedAt === undefined)
    if (answers !== undefined) {
      answers.replacedAt = now
      restarts += 1
    }
    const onMessage = (message: unknown): void => {
      if (!isGood(message)) return
      if (answers !== undefined) answers.goodAt = clock.now()
      listened(one).off('message', onMessage)
    }
    met.set(one, onMessage)
    if (answers !== undefined) listened(one).on('message', onMessage)
  }

  function look(): void {
    const now = clock.now()
    const living = new Set(livingOf(target))
    for (const [one, onMessage] of met) {
      if (living.has(one)) continue
      met.delete(one)
      listened(one).off('message', onMessage)
      deaths += 1
      all.push({ diedAt: now })
      if (all.length > MAX_RECOVERIES) all.shift()
    }
    for (const one of living) if (!met.has(one)) meet(one, now)
    isFirstLook = false
    cancel = clock.after(lookEveryMs, look, { ref: false })
  }

  let cancel = (): void => undefined
  look()
  return {
    get deaths() {
      return deaths
    },
    get restarts() {
      return restarts
    },
    get recoveries() {
      return all.map(({ diedAt, replacedAt, goodAt }) => ({
        diedAt,
        replacedAt,
        goodAt,
        replacedAfterMs: replacedAt === undefined ? undefined : replacedAt - diedAt,
        goodAfterMs: goodAt === undefined ? undefined : goodAt - diedAt,
      }))
    },
    get healed() {
      return all.every(({ goodAt }) => goodAt !== undefined)
    },
    close() {
      cancel()
      for (const [one, onMessage] of met) listened(one).off('message', onMessage)
      met.clear()
    },
  }
}

const listened = (one: Mortal): Listened => one as unknown as Listened
