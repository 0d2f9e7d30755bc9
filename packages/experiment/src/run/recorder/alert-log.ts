import type { Clock } from '@chaos/core'
import { reasonOf } from '../../shared/answer.js'
import type { ActiveAlert, AlertReader } from '../../alerts/reader.js'
import { seriesOf } from '../../model/alerts.js'
import { withTimeout } from '../../shared/time.js'
import type { AlertReadings, AlertStretch } from '../../evidence/evidence.js'

/** The alerts of one source, as its readings showed them. */
export interface AlertLog {
  readonly stretches: readonly AlertStretch[]
  /** How reliably the source could be read. The time since the last reading counts as a gap. */
  readings(): AlertReadings
  /** Stretches without an end. */
  active(): readonly AlertStretch[]
  /** Reads once. Never rejects; a failed reading is counted. @returns Stretches that began or ended. */
  read(signal?: AbortSignal): Promise<readonly AlertStretch[]>
}

/** The longest wait for a reading, in ms. It applies in addition to the reader's own limit. */
const READING_TIMEOUT_MS = 10_000

type Open = { -readonly [Key in keyof AlertStretch]: AlertStretch[Key] }

/** Merges alerts that several rules produce: firing if one fires, silenced if every firing one is. */
function merged(alert: ActiveAlert, other: ActiveAlert | undefined): ActiveAlert {
  if (other === undefined || (alert.state === 'firing' && other.state === 'pending')) return alert
  if (alert.state !== other.state) return other
  return { ...other, isSilenced: alert.isSilenced === true && other.isSilenced === true }
}

/**
 * Follows the alerts of a reader. A change is dated at the later of two readings, with the time between them as its
 * error.
 */
export function alertLog(reader: AlertReader, clock: Clock): AlertLog {
  const { source, isReceiver = false } = reader
  const stretches: Open[] = []
  const open = new Map<string, Open>()
  let succeeded = 0
  let failed = 0
  let longestGapMs = 0
  let problem: string | undefined
  let lastFailedAt: number | undefined
  let isLastFailed = false
  let lastAt = clock.now()

  function note(alerts: readonly ActiveAlert[], at: number, errorMs: number): AlertStretch[] {
    const changes: AlertStretch[] = []
    const seen = new Map<string, ActiveAlert>()
    for (const alert of alerts) {
      const key = seriesOf(alert)
      seen.set(key, merged(alert, seen.get(key)))
    }
    for (const [key, stretch] of open) {
      if (seen.get(key)?.state === stretch.state) continue
      stretch.to = at
      stretch.toErrorMs = errorMs
      open.delete(key)
      changes.push({ ...stretch })
    }
    for (const [key, { name, labels, state, activeAt, isSilenced = false }] of seen) {
      const known = open.get(key)
      if (known !== undefined) {
        known.isSilenced &&= isSilenced
        continue
      }
      const stretch: Open = {
        name,
        labels,
        state,
        source,
        from: at,
        fromErrorMs: errorMs,
        to: undefined,
        toErrorMs: 0,
        activeAt,
        isSilenced,
      }
      open.set(key, stretch)
      stretches.push(stretch)
      changes.push({ ...stretch })
    }
    return changes
  }

  return {
    stretches,
    readings: () => ({
      source,
      ...(isReceiver ? { isReceiver } : {}),
      succeeded,
      failed,
      longestGapMs: Math.max(longestGapMs, clock.now() - lastAt),
      lastFailedAt,
      ...(isLastFailed ? { isLastFailed } : {}),
      problem,
    }),
    active: () => [...open.values()],
    async read(signal) {
      try {
        const askedAt = clock.now()
        const alerts = await withTimeout(clock, READING_TIMEOUT_MS, (inner) => reader.read(inner), signal)
        const at = clock.now()
        const errorMs = Math.max(0, at - lastAt)
        succeeded += 1
        isLastFailed = false
        longestGapMs = Math.max(longestGapMs, errorMs)
        // The answer shows a moment after the request. A change may have happened just after that moment.
        lastAt = askedAt
        return note(alerts, at, errorMs)
      } catch (error) {
        // A reading that the run itself aborted is not a failure of the monitoring system.
        if (signal?.aborted === true) return []
        failed += 1
        isLastFailed = true
        lastFailedAt = clock.now()
        problem = reasonOf(error)
        return []
      }
    },
  }
}
