import { isMeant } from '../../model/alerts.js'
import { isTelling, spansOf } from '../../load/rates.js'
import { largest } from '../../shared/numbers.js'
import { isStanding } from '../../evidence/marks.js'
import { hasLookedSince, longestLookMs } from '../../evidence/signs-of-life.js'
import type { Run } from './run.js'

/** How long after the end of its lease a fault may still appear in force, in ms. */
const END_GRACE_MS = 10_000
/** How many readings the run watches beyond a deadline, so that it sees events just before the deadline. */
const LAST_READINGS = 4

/** Waits until the fault has ended by itself, the steady state holds again, and alerts have fired and resolved. */
export async function watchRecovery(run: Run): Promise<void> {
  const {
    experiment: { recovery },
    recorder: { injections },
    clock,
    pollMs,
    over,
    until,
    say,
    marks,
    breakOff,
  } = run
  // Only the length of a lease is used, because its end is a time of another clock.
  const leaseEndsAt = Math.max(
    clock.now(),
    ...injections.states().map(({ askedAt, leaseMs, status }) => (status === 'ended' ? 0 : askedAt + leaseMs)),
  )
  const hasEnded = (): boolean => injections.states().every(({ status }) => status === 'ended')
  await until(() => {
    marks()
    return hasEnded()
  }, leaseEndsAt + END_GRACE_MS)
  if (!hasEnded() && !over.aborted) breakOff('a fault had not ended when its lease had')
  // The run never aborts an injection. Its controller does when what the fault did says nothing any more.
  const cutShort = injections.states().find(({ outcome }) => outcome === 'aborted')
  if (cutShort !== undefined) breakOff(`${cutShort.fault} was cut short${becauseOf(cutShort.failures)}`)
  const { t0, t4 } = marks()
  if (t0 === undefined || t4 === undefined) return
  say('recovery', 'the fault has ended: waiting for recovery')
  await until(() => marks().t7 !== undefined, t4.at + recovery.withinMs + pollMs * LAST_READINGS)
  await watchAlerts(run)
}

const becauseOf = (failures: readonly string[]): string => (failures.length === 0 ? '' : `: ${failures.join('; ')}`)

/** Waits until every alert in `mustFire` has fired and was notified, and no alert is active. */
export async function watchAlerts({
  experiment,
  recorder: { alerts: logs },
  clock,
  pollMs,
  sink,
  until,
  marks,
}: Run): Promise<void> {
  const { t0, t4 } = marks()
  if (logs.length === 0 || t0 === undefined || t4 === undefined) return
  const { at: landedAt } = t0
  const { mustFire = [], resolveWithinMs = 60_000 } = experiment.alerts ?? {}
  const firesUntil = Math.max(landedAt, ...mustFire.map(({ withinMs }) => landedAt + withinMs))
  const isAwaited = (expected: (typeof mustFire)[number]): boolean => {
    const shows = ({ stretches }: (typeof logs)[number]): boolean =>
      stretches.some((stretch) => stretch.state === 'firing' && isMeant(stretch, expected))
    const hasFired = logs.some(shows) && logs.every((log) => log.readings().isReceiver !== true || shows(log))
    if (!hasFired) return clock.now() <= firesUntil
    return (
      sink !== undefined &&
      !sink.notifications.some((one) => one.at >= landedAt && one.status === 'firing' && isMeant(one, expected))
    )
  }
  await until(
    () =>
      !mustFire.some(isAwaited) &&
      logs.every((log) => log.active().every((stretch) => isStanding(stretch, experiment, landedAt))),
    Math.max(firesUntil, t4.at + resolveWithinMs) + pollMs * LAST_READINGS,
  )
}

/**
 * Waits until every monitoring system has evaluated its rules and scraped its targets after the end of the fault (in a
 * control run: after the start), and the run has read the result. Earlier data does not prove recovery.
 */
export async function watchMonitors(run: Run, since: number): Promise<void> {
  const {
    recorder: { alerts, monitors: logs },
    clock,
    until,
    marks,
  } = run
  const { t4 } = marks()
  const monitors = logs.map((log) => log.monitor())
  const hasLooked = (): boolean =>
    monitors.every((monitor, index) => hasLookedSince(monitor, t4?.at ?? since, index < alerts.length))
  await until(hasLooked, clock.now() + largest(monitors.map(longestLookMs), 0))
  await readOnceMore(run)
}

/**
 * Waits for one complete reading of everything, so that the latest evaluation and the last moments of a run are seen.
 */
async function readOnceMore({ recorder: { curves, alerts }, clock, until }: Run): Promise<void> {
  const now = clock.now()
  const countOf = (index: number): number => {
    const { succeeded, failed } = alerts[index]?.readings() ?? { succeeded: 0, failed: 0 }
    return succeeded + failed
  }
  // One reading may be in progress that was requested earlier, so two more are needed.
  const wanted = alerts.map((_log, index) => countOf(index) + 2)
  await until(
    () =>
      curves.every(({ samples }) => (samples.at(-1)?.askedAt ?? 0) > now) &&
      wanted.every((count, index) => countOf(index) >= count),
    now + END_GRACE_MS,
  )
}

/**
 * Waits until the load was read for long enough after recovery to show its rate, and every request in flight at that
 * time was answered or is stuck.
 */
export async function watchLoadSettle({
  experiment: {
    load: declared,
    steadyState: { holdForMs },
  },
  recorder: { load },
  clock,
  pollMs,
  until,
  marks,
}: Run): Promise<void> {
  if (declared === undefined || load === undefined) return
  const { t5 } = marks()
  const [, spanMs] = spansOf(declared, holdForMs)
  if (t5 !== undefined)
    await until(
      () =>
        isTelling(
          declared,
          holdForMs,
          load.readings.filter(({ at }) => at >= t5.at),
        ),
      Math.max(clock.now(), t5.at) + spanMs + pollMs * LAST_READINGS,
    )
  const since = clock.now()
  await until(
    () => {
      const last = load.readings.at(-1)
      if (last?.report === undefined || last.askedAt < since) return false
      const { oldestUnderWayMs } = last.report
      return oldestUnderWayMs < last.askedAt - since || oldestUnderWayMs > declared.stuckAfterMs
    },
    since + declared.stuckAfterMs + pollMs * LAST_READINGS,
  )
}
