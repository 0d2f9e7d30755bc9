import type { ChaosController, Clock } from '@chaos/core'
import { withTimeout } from '../../shared/time.js'
import type { ClockReading } from '../../evidence/evidence.js'

/** The longest wait for a clock reading, in ms. A later answer would be too imprecise. */
const ANSWER_TIMEOUT_MS = 2_000

/** A clock reading from one request. The other clock was read between the request and its answer. */
function clockReading(askedAt: number, at: number, theirs: number): ClockReading {
  return { at, offsetMs: theirs - (askedAt + at) / 2, errorMs: (at - askedAt) / 2 }
}

/** Reads the clock of the process in which faults are injected. Never rejects; a failed request adds no reading. */
export function appClockLog(
  controller: ChaosController,
  clock: Clock,
): { readonly readings: readonly ClockReading[]; read(signal?: AbortSignal): Promise<void> } {
  const readings: ClockReading[] = []
  return {
    readings,
    async read(signal) {
      try {
        const askedAt = clock.now()
        const { now } = await withTimeout(clock, ANSWER_TIMEOUT_MS, () => controller.info(), signal)
        if (now !== undefined) readings.push(clockReading(askedAt, clock.now(), now))
      } catch {
        // Without any answer, the clock stays unknown and the run is inconclusive.
      }
    },
  }
}
