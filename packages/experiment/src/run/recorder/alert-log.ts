import type { Clock } from '@chaos/core'
import { reasonOf } from '../../shared/answer.js'
import type { ActiveAlert, AlertReader } from '../../alerts/reader.js'
import { seriesOf } from '../../model/alerts.js'
import { withTimeout } from '../../shared/time.js'
import type { AlertReadings, AlertStretch } from '../../evidence/evidence.js'

/** What was seen of the alerts of one source, reading by reading. */
export interface AlertLog {
  readonly stretches: readonly AlertStretch[]
  /** The last reading included; the time since counts as a gap. */
  readings(): AlertReadings
  /** Stretches that have not ended. */
  active(): readonly AlertStretch[]
  /** Reads once. Never rejects: a reading that fails is counted. @returns What began or ended. */
  read(signal?: AbortSignal): Promise<readonly AlertStretch[]>
}

/** Longest wait for a reading, in ms, whatever the reader itself allows. */
const READING_TIMEOUT_MS = 10_000

type Open = { -readonly [Key in keyof AlertStretch]: AlertStretch[Key] }

/** What several rules that give the same alert come to: it fires when one of them says so, and is silenced when all that fire are. */
function louder(alert: ActiveAlert, other: ActiveAlert | undefined): ActiveAlert {
  if (other === undefined || (alert.state === 'firing' && other.state === 'pending')) return alert
  if (alert.state !== other.state) return other
  return { ...other, isSilenced: alert.isSilenced === true && other.isSilenced === true }
}

/** Follows the alerts of a reader. What changed between two readings is dated at the later one, with the time in between as its error. */
export function alertLog(reader: AlertReader, clock: Clock): AlertLog {
  const { source, isReceiver = false } = reader
  const stretches: Open[] = []
  const open = new Map<string, Open>()
  let succeeded = 0
  let failed = 0
  let longestGapMs = 0
  let problem: string | undefined
  let lastAt = clock.now()

  function note(alerts: readonly ActiveAlert[], at: number, errorMs: number): AlertStretch[] {
    const changes: AlertStretch[] = []
    const seen = new Map<string, ActiveAlert>()
    for (const alert of alerts) {
      const key = seriesOf(alert)
      seen.set(key, louder(alert, seen.get(key)))
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
        longestGapMs = Math.max(longestGapMs, errorMs)
        // The answer is from some moment after the question: what it does not show may have begun just after.
        lastAt = askedAt
        return note(alerts, at, errorMs)
      } catch (error) {
        // A reading that the run itself broke off says nothing about the monitoring.
        if (signal?.aborted === true) return []
        failed += 1
        problem = reasonOf(error)
        return []
      }
    },
  }
}
