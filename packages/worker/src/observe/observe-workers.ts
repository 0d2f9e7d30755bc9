import { ChaosError, type Clock } from '@chaos/core'
import { checkOptions, option, optionsSchema, synchronousAnswer, systemClock } from '@chaos/core/authoring'
import {
  isWorkerOrProcessTarget,
  livingOf,
  WORKER_OR_PROCESS_TARGET,
  type WorkerOrProcess,
  type WorkerOrProcessTarget,
} from '../targets/threads-and-processes.js'

/** The death of a worker and its recovery. Times are in ms since the epoch. */
export interface Recovery {
  readonly diedAt: number
  /** When the replacement was first seen. `undefined`: not yet. */
  readonly replacedAt: number | undefined
  /** When the replacement sent its first good message. `undefined`: not yet. */
  readonly goodAt: number | undefined
  readonly replacedAfterMs: number | undefined
  readonly goodAfterMs: number | undefined
}

/** The live readings of a target's workers. They show whether the target has recovered. */
export interface WorkerReadings {
  readonly deaths: number
  readonly restarts: number
  /** Deaths without a replacement so far. */
  readonly unanswered: number
  /**
   * The most restarts within any `intensityMs`, which shows a restart storm. Erlang's supervisors bound the same figure under
   * the same name.
   */
  readonly intensity: number
  /** The last 1,000 deaths and their recoveries, oldest first. */
  readonly recoveries: readonly Recovery[]
  /** Whether every dead worker was replaced and every replacement has sent a good message. */
  readonly healed: boolean
}

/** The observation of a target's workers. */
export interface WorkerObservation extends WorkerReadings {
  /** Returns a function that takes one reading, for a probe of an experiment: `read: seen.probe('healed')`. */
  probe<Name extends keyof WorkerReadings>(reading: Name): () => WorkerReadings[Name]
  /** Stops observing and removes all listeners. */
  close(): void
}

const schema = optionsSchema({
  lookEveryMs: option.optional(option.count('Interval at which the target is checked, in ms.', 1), 2),
  intensityMs: option.optional(option.count('Time window in which restarts are counted together, in ms.', 1), 5_000),
  isGood: option.optional(
    option.func<(message: unknown) => boolean>('Decides whether a message counts as good.'),
    () => true,
  ),
})

/** Options of {@link observeWorkers}. */
export interface ObserveWorkersOptions {
  /** Decides whether a message counts as good. A message on which it throws does not. Default: every message does. */
  readonly isGood?: (message: unknown) => boolean
  /**
   * The interval at which the target is checked, in ms. Default 2. Listening to a replacement starts with the first check
   * that finds it. So the interval must be shorter than the time from start to first good message, which is a few ms if that
   * message only says that the thread is ready.
   */
  readonly lookEveryMs?: number
  /** The time window in which restarts are counted together, in ms. Default 5,000, as for Erlang's supervisors. */
  readonly intensityMs?: number
  /** The source of time. Default: the real clock. */
  readonly clock?: Clock
}

interface Listened {
  on(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
}

interface Death {
  readonly diedAt: number
  /** The earlier death, if the dead worker was its replacement and sent no good message. The next good message ends both. */
  readonly carries: Death | undefined
  replacedAt?: number
  goodAt?: number
}

/** A known worker, and the death that it is the replacement for. */
interface Known {
  readonly answers: Death | undefined
  readonly onMessage: (message: unknown) => void
}

const MAX_RECOVERIES = 1_000

/**
 * Observes how the workers of a target die and are replaced. It only listens to messages and checks the target every
 * `lookEveryMs`. A new worker counts as the replacement for the oldest death without one. The timer does not keep the
 * process alive.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if the target is not one of threads or processes, `CHAOS_INVALID_OPTION` for an invalid
 *   option.
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
  const known = new Map<WorkerOrProcess, Known>()
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
      if (!isGoodMessage(isGood, message)) return
      const at = clock.now()
      for (let death = answers; death !== undefined; death = death.carries) death.goodAt = at
      listened(one).off('message', onMessage)
    }
    known.set(one, { answers, onMessage })
    if (answers !== undefined) listened(one).on('message', onMessage)
  }

  /** The live workers, or `undefined` if the target is a function that throws, as it may while there is no worker. */
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
    for (const [one, { answers, onMessage }] of known) {
      if (living.has(one)) continue
      known.delete(one)
      listened(one).off('message', onMessage)
      deaths += 1
      all.push({ diedAt: now, carries: answers?.goodAt === undefined ? answers : undefined })
      if (all.length > MAX_RECOVERIES) all.shift()
    }
    for (const one of living) if (!known.has(one)) meet(one, now)
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
      for (const [one, { onMessage }] of known) listened(one).off('message', onMessage)
      known.clear()
    },
  }
  return observation
}

/** Applies the caller's predicate. If it throws or returns a promise, the message is not good: no error may reach the message listener. */
function isGoodMessage(isGood: (message: unknown) => boolean, message: unknown): boolean {
  try {
    return synchronousAnswer(isGood(message))
  } catch {
    return false
  }
}

const listened = (one: WorkerOrProcess): Listened => one as unknown as Listened
