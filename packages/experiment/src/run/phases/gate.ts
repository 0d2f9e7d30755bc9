import { isMeant } from '../../model/alerts.js'
import { isTelling, lastSecondsOf, loadProblemBefore, spansOf } from '../../load/rates.js'
import { largest } from '../../shared/numbers.js'
import { steadyStretch, withGaps } from '../../evidence/steady.js'
import { cannotBeWatched } from '../../evidence/stop-alerts.js'
import type { LoadReading } from '../../load/report.js'
import type { Run } from './run.js'

/** The result of the gate. */
export interface Gate {
  readonly isMet: boolean
  /** When the steady state began to hold. */
  readonly from: number
  readonly problem?: string
  /** Names of the active alerts that would invalidate the run. */
  readonly firingBefore: readonly string[]
}

/**
 * Waits until every probe has held for `holdForMs`, the guardrails hold, the load is served, and no alert interferes.
 */
export async function watchGate(run: Run): Promise<Gate> {
  const {
    experiment: {
      steadyState: { holdForMs, timeoutMs },
      load,
    },
    recorder,
    clock,
    startedAt,
    until,
    say,
  } = run
  say('steady-state', `all probes must hold for ${holdForMs} ms, and no alert may be active`)
  const stretch = (): ReturnType<typeof steadyStretch> => {
    // Only the last period counts. Bad readings before it do not matter.
    const all = recorder.curves.map((log) => withGaps(log.curve(startedAt)))
    const lastBad = largest(
      all.flatMap((samples) => samples.filter(({ isGood }) => !isGood).map(({ at }) => at + 1e-3)),
      startedAt,
    )
    return steadyStretch(all, lastBad, holdForMs)
  }
  const hasReadAlerts = (): boolean =>
    recorder.alerts.every((log) => log.readings().succeeded + log.readings().failed > 0)
  const isGuarded = (): boolean => recorder.guards.every(({ samples }) => samples.at(-1)?.isGood === true)
  const unwatched = (): string | undefined => cannotBeWatched(run.experiment, recorder.alertWatch())
  /** The last load readings that show the rate: over the short span if it is enough, otherwise over the long span. */
  const rateReadings = (since: number): readonly LoadReading[] => {
    if (load === undefined) return []
    const readings = (recorder.load?.readings ?? []).filter(({ at }) => at >= since)
    const [busy = [], slow = []] = spansOf(load, holdForMs).map((spanMs) =>
      lastSecondsOf(readings, clock.now(), spanMs),
    )
    return isTelling(load, holdForMs, busy) ? busy : slow
  }
  const loadProblem = (since: number): string | undefined =>
    load === undefined ? undefined : loadProblemBefore(load, rateReadings(since))
  const isReady = (): boolean => {
    const steady = stretch()
    return (
      steady !== undefined &&
      isGuarded() &&
      loadProblem(steady.from) === undefined &&
      hasReadAlerts() &&
      unwatched() === undefined &&
      interferingAlerts(run).length === 0
    )
  }
  await until(isReady, clock.now() + timeoutMs)
  const steady = stretch()
  const problem = steady === undefined || !isGuarded() ? whyNotSteady(run) : (loadProblem(steady.from) ?? unwatched())
  const from = steady === undefined ? startedAt : (rateReadings(steady.from)[0]?.at ?? steady.from)
  return {
    isMet: problem === undefined,
    from,
    firingBefore: interferingAlerts(run),
    ...(problem === undefined ? {} : { problem }),
  }
}

/**
 * Names of the active alerts that would invalidate the run: alerts in `mustFire`, even if pending, and forbidden
 * alerts.
 */
function interferingAlerts({ experiment, recorder }: Run): readonly string[] {
  const { mustFire = [], mayFire = [] } = experiment.alerts ?? {}
  const active = recorder.alerts.flatMap((log) => log.active())
  return [
    ...new Set(
      active
        .filter(
          (alert) =>
            mustFire.some((one) => isMeant(alert, one)) ||
            (alert.state === 'firing' && !mayFire.some((one) => isMeant(alert, one))),
        )
        .map(({ name }) => name),
    ),
  ]
}

/** The last bad reading of each probe, including probes that have been good since, but not for long enough. */
function whyNotSteady({ recorder }: Run): string {
  const bad = [...recorder.curves, ...recorder.guards].flatMap((log) => {
    const sample = log.samples.filter(({ isGood }) => !isGood).at(-1)
    if (sample === undefined) return log.samples.length === 0 ? [`${log.probe.name} was not read`] : []
    const { probe, bounds } = log.curve(0)
    return [
      `${probe} was ${sample.value ?? `without data (${sample.problem ?? 'unknown reason'})`}, expected ${bounds}`,
    ]
  })
  return bad.length === 0 ? 'it was not read for long enough' : bad.join('; ')
}
