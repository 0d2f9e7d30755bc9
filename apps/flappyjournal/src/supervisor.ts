import { Worker } from 'node:worker_threads'
import { loopWorkerFile } from './config.js'
import { watchdog } from './watchdog.js'
import type { LoopReport } from './loop-worker.js'

/** Options of {@link superviseLoop}. */
export interface SupervisorOptions {
  /** The planned turns of the loop per second. Default 100. */
  readonly hz?: number
  /** The period of the loop's reports, in ms. Default 1,000. */
  readonly reportEveryMs?: number
  /** Whether a dead worker is replaced. Default `true`. */
  readonly restarts?: boolean
  /** The pause before the first restart, in ms. It doubles with each further restart. Default 200. */
  readonly firstPauseMs?: number
  /** The longest pause, in ms. Default 5,000. */
  readonly maxPauseMs?: number
  /** How long a worker must run to count as stable, in ms. The pause is then reset. Default 10,000. */
  readonly stableAfterMs?: number
  /** How long a worker may be silent before it counts as dead, in ms. Default 2,000. */
  readonly silenceMs?: number
  readonly onReport?: (report: LoopReport) => void
  readonly onRestart?: () => void
}

/** The supervisor of the loop worker. */
export interface Supervisor {
  /** The live worker as a list, which is empty if there is none. */
  workers(): readonly Worker[]
  /** Whether a worker is alive. */
  readonly isUp: boolean
  /** Turns per second in the last report; 0 without a fresh report of the current worker. */
  readonly hz: number
  /** The deviation of the last turn from its planned time, in ms; NaN without a fresh report. */
  readonly skewMs: number
  readonly restarts: number
  stop(): Promise<void>
}

/** Starts the loop worker, watches it, and restarts it with increasing pauses. */
export function superviseLoop(options: SupervisorOptions = {}): Supervisor {
  const {
    hz = 100,
    reportEveryMs = 1_000,
    restarts: mayRestart = true,
    firstPauseMs = 200,
    maxPauseMs = 5_000,
    stableAfterMs = 10_000,
    silenceMs = 2_000,
  } = options
  let worker: Worker | undefined
  let isStopping = false
  let pauseMs = firstPauseMs
  let restarts = 0
  let report: LoopReport | undefined
  let heardAt = 0
  let startedAt = 0
  let restartTimer: NodeJS.Timeout | undefined

  function start(): void {
    const started = new Worker(loopWorkerFile, { workerData: { hz, reportEveryMs }, name: 'consciousness-loop' })
    startedAt = performance.now()
    started.once('online', () => {
      // Silence is measured from here, because the start of a thread may take long.
      hear()
      if (!isStopping) worker = started
    })
    started.on('message', (message: LoopReport) => {
      hear()
      report = message
      options.onReport?.(message)
    })
    // The `exit` event follows. Without this listener, an error would end the process.
    started.on('error', (error) => console.error(JSON.stringify({ event: 'loop worker failed', error: String(error) })))
    started.once('exit', () => {
      if (worker === started) worker = undefined
      report = undefined
      if (!isStopping && mayRestart) scheduleRestart()
    })
    starting = started
  }
  let starting: Worker | undefined

  function hear(): void {
    heardAt = performance.now()
    dog.heard()
  }

  function scheduleRestart(): void {
    if (performance.now() - startedAt >= stableAfterMs) pauseMs = firstPauseMs
    restartTimer = setTimeout(() => {
      restarts += 1
      options.onRestart?.()
      start()
    }, pauseMs)
    pauseMs = Math.min(maxPauseMs, pauseMs * 2)
  }

  const dog = watchdog(silenceMs, () => void worker?.terminate())

  /** The last report, unless its worker has died or fallen silent. */
  function fresh(): LoopReport | undefined {
    return performance.now() - heardAt <= silenceMs ? report : undefined
  }

  start()
  return {
    workers: () => (worker === undefined ? [] : [worker]),
    get isUp() {
      return worker !== undefined
    },
    get hz() {
      return fresh()?.hz ?? 0
    },
    get skewMs() {
      return fresh()?.skewMs ?? Number.NaN
    },
    get restarts() {
      return restarts
    },
    async stop() {
      isStopping = true
      clearTimeout(restartTimer)
      dog.stop()
      await starting?.terminate()
    },
  }
}
