import { parentPort, workerData } from 'node:worker_threads'

/** The report that the loop sends regularly, by default once a second. */
export interface LoopReport {
  /** Measured turns per second. */
  readonly hz: number
  /** The deviation of the last turn from its planned time, in ms. */
  readonly skewMs: number
  readonly turns: number
}

const { hz, reportEveryMs } = workerData as { readonly hz: number; readonly reportEveryMs: number }
const periodMs = 1_000 / hz
const startedAt = performance.now()
let turns = 0
let reportedAt = startedAt
let reportedTurns = 0
let isRunning = true

/**
 * Runs one turn. Turns are planned at fixed times from the start, so that delays do not add up. After a long stall, the
 * loop continues from the present time instead of catching up.
 */
function turn(): void {
  const now = performance.now()
  turns += 1
  const behind = Math.floor((now - (startedAt + skipped)) / periodMs) - turns
  if (behind > hz) skipped += behind * periodMs
  const nextAt = startedAt + skipped + (turns + 1) * periodMs
  if (now - reportedAt >= reportEveryMs) {
    parentPort?.postMessage({
      hz: ((turns - reportedTurns) * 1_000) / (now - reportedAt),
      skewMs: now - (nextAt - periodMs),
      turns,
    } satisfies LoopReport)
    reportedAt = now
    reportedTurns = turns
  }
  if (isRunning) setTimeout(turn, Math.max(0, nextAt - performance.now()))
}
let skipped = 0

parentPort?.once('message', () => {
  isRunning = false
  parentPort?.close()
})
turn()
