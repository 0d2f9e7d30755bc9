import { ChaosError, type Clock } from '@chaos/core'
import { checkOptions, option, optionsSchema, synchronousAnswer, systemClock } from '@chaos/core/authoring'
import {
  isWorkerOrProcessTarget,
  livingOf,
  WORKER_OR_PROCESS_TARGET,
  type WorkerOrProcess,
  type WorkerOrProcessTarget,
} from '../targets/threads-and-processes.js'

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

/** What was seen of a target so far, live: the evidence for "it healed". */
export interface WorkerReadings {
  readonly deaths: number
  readonly restarts: number
  /** Deaths that no replacement has answered yet. */
  readonly unanswered: number
  /** The most restarts within any `intensityMs`: a restart storm shows here. Supervisors of Erlang bound the same figure by the same name. */
  readonly intensity: number
  /** Oldest first; the last 1,000. */
  readonly recoveries: readonly Recovery[]
  /** Whether every death was replaced, and every replacement has spoken. */
  readonly healed: boolean
}

/** Watches the workers of a target. */
export interface WorkerObservation extends WorkerReadings {
  /** A reading as a function, as a probe of an experiment takes it: `read: seen.probe('healed')`. */
  probe<Name extends keyof WorkerReadings>(reading: Name): () => WorkerReadings[Name]
  /** Stops looking, and leaves no listener. */
  close(): void
}

const schema = optionsSchema({
  lookEveryMs: option.optional(option.count('How often the target is looked at, in ms.', 1), 2),
  intensityMs: option.optional(option.count('Within how long restarts are counted together, in ms.', 1), 5_000),
  isGood: option.optional(option.func<(message: unknown) => boolean>('Which message counts as good.'), () => true),
})

/** Options of {@link observeWorkers}. */
export interface ObserveWorkersOptions {
  /** Which message counts as good; one on which it throws does not. Default: any. */
  readonly isGood?: (message: unknown) => boolean
  /**
   * How often the target is looked at, in ms. Default 2. A replacement is listened to from the first look at it on, so it must be shorter than
   * a replacement takes until its first good message: a few ms, where that only says that a thread is ready.
   */
  readonly lookEveryMs?: number
  /** Within how long restarts are counted together, in ms. Default 5,000, as Erlang's supervisors have it. */
  readonly intensityMs?: number
  /** Default: the real clock. */
  readonly clock?: Clock
}

interface Listened {
  on(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
}

interface Death {
  readonly diedAt: number
  /** The death that the dead was a replacement for, if it never spoke: both wait for the next one to speak. */
  readonly carries: Death | undefined
  replacedAt?: number
  goodAt?: number
}

/** Whom the watch knows, and what it waits for. */
interface Met {
  readonly answers: Death | undefined
  readonly onMessage: (message: unknown) => void
}

const MAX_RECOVERIES = 1_000

/**
 * Watches the workers of a target die and come back, without touching them: it listens, and looks at the target every so many ms.
 * A replacement answers for the oldest death that has none yet. Keeps no process alive.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` for what is no target of threads or processes, `CHAOS_INVALID_OPTION`
 */
export function observeWorkers(
  target: WorkerOrProcessTarget,
  { clock = systemClock, ...given }: ObserveWorkersOptions = {},
): WorkerObservation {
  if (!isWorkerOrProcessTarget(target))
    throw new ChaosError(
      'CHAOS_TARGET_MISMATCH',
      `Expected the target of observeWorkers to be ${WORKER_OR_PROCESS_TARGET}, got \`${String(target)}\`.`,
    )
  const { isGood, lookEveryMs, intensityMs } = checkOptions(schema, given, 'observeWorkers')
  const met = new Map<WorkerOrProcess, Met>()
  const all: Death[] = []
  const replacedAt: number[] = []
  let deaths = 0
  let restarts = 0
  let intensity = 0
  let isFirstLook = true

  function countRestart(now: number): void {
    restarts += 1
    replacedAt.push(now)
    while (now - (replacedAt[0] ?? now) > intensityMs) replacedAt.shift()
    intensity = Math.max(intensity, replacedAt.length)
  }

  function meet(one: WorkerOrProcess, now: number): void {
    const answers = isFirstLook ? undefined : all.find((death) => death.replacedAt === undefined)
    if (answers !== undefined) {
      answers.replacedAt = now
      countRestart(now)
    }
    const onMessage = (message: unknown): void => {
      if (!tells(isGood, message)) return
      const at = clock.now()
      for (let death = answers; death !== undefined; death = death.carries) death.goodAt = at
      listened(one).off('message', onMessage)
    }
    met.set(one, { answers, onMessage })
    if (answers !== undefined) listened(one).on('message', onMessage)
  }

  /** A target that is a function may fail while nothing is there to be seen: then nothing is said of it. */
  function livingNow(): Set<WorkerOrProcess> | undefined {
    try {
      return new Set(livingOf(target))
    } catch {
      return undefined
    }
  }

  function look(): void {
    const now = clock.now()
    const living = isFirstLook ? new Set(livingOf(target)) : livingNow()
    cancel = clock.after(lookEveryMs, look, { ref: false })
    if (living === undefined) return
    for (const [one, { answers, onMessage }] of met) {
      if (living.has(one)) continue
      met.delete(one)
      listened(one).off('message', onMessage)
      deaths += 1
      all.push({ diedAt: now, carries: answers?.goodAt === undefined ? answers : undefined })
      if (all.length > MAX_RECOVERIES) all.shift()
    }
    for (const one of living) if (!met.has(one)) meet(one, now)
    isFirstLook = false
  }

  let cancel = (): void => undefined
  look()
  const observation: WorkerObservation = {
    get deaths() {
      return deaths
    },
    get restarts() {
      return restarts
    },
    get unanswered() {
      return deaths - restarts
    },
    get intensity() {
      return intensity
    },
    get recoveries() {
      return all.map((death) => ({
        diedAt: death.diedAt,
        replacedAt: death.replacedAt,
        goodAt: death.goodAt,
        replacedAfterMs: death.replacedAt === undefined ? undefined : death.replacedAt - death.diedAt,
        goodAfterMs: death.goodAt === undefined ? undefined : death.goodAt - death.diedAt,
      }))
    },
    get healed() {
      return all.every(({ goodAt }) => goodAt !== undefined)
    },
    probe: (reading) => () => observation[reading],
    close() {
      cancel()
      for (const [one, { onMessage }] of met) listened(one).off('message', onMessage)
      met.clear()
    },
  }
  return observation
}

/** A predicate of the caller's. One that throws, or returns a promise, says no: nothing is thrown where messages are heard. */
function tells(isGood: (message: unknown) => boolean, message: unknown): boolean {
  try {
    return synchronousAnswer(isGood(message))
  } catch {
    return false
  }
}

const listened = (one: WorkerOrProcess): Listened => one as unknown as Listened
