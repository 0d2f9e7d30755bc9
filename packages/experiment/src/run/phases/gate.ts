import { isMeant } from '../../model/alerts.js'
import { isTelling, lastSecondsOf, loadProblemBefore, spansOf } from '../../load/rates.js'
import { largest } from '../../shared/numbers.js'
import { steadyStretch, withGaps } from '../../evidence/steady.js'
import type { LoadReading } from '../../load/report.js'
import type { Run } from './run.js'

/** What the gate comes to. */
export interface Gate {
  readonly isMet: boolean
  /** Since when the steady state has held. */
  readonly from: number
  readonly problem?: string
  /** Alerts that are active and would spoil the run. */
  readonly firingBefore: readonly string[]
}

/** Waits until every probe has held for long enough, the guardrails hold, the load is served, and no alert is in the way. */
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
    // Only the last stretch counts: what was bad before it is history.
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
  /** The last readings of the load from which its rate shows, all from while the steady state held. */
  const loaded = (since: number): readonly LoadReading[] => {
    if (load === undefined) return []
    const readings = (recorder.load?.readings ?? []).filter(({ at }) => at >= since)
    const [busy = [], slow = []] = spansOf(load, holdForMs).map((spanMs) =>
      lastSecondsOf(readings, clock.now(), spanMs),
    )
    return isTelling(load, holdForMs, busy) ? busy : slow
  }
  const loadProblem = (since: number): string | undefined =>
    load === undefined ? undefined : loadProblemBefore(load, loaded(since))
  const isReady = (): boolean => {
    const steady = stretch()
    return (
      steady !== undefined &&
      isGuarded() &&
      loadProblem(steady.from) === undefined &&
      hasReadAlerts() &&
      inTheWay(run).length === 0
    )
  }
  await until(isReady, clock.now() + timeoutMs)
  const steady = stretch()
  const problem = steady === undefined || !isGuarded() ? whyNotSteady(run) : loadProblem(steady.from)
  const from = steady === undefined ? startedAt : (loaded(steady.from)[0]?.at ?? steady.from)
  return {
    isMet: problem === undefined,
    from,
    firingBefore: inTheWay(run),
    ...(problem === undefined ? {} : { problem }),
  }
}

/** Names of the alerts that are active and would spoil the run: those that must fire, also pending, and those that must not. */
function inTheWay({ experiment, recorder }: Run): readonly string[] {
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

/** The last bad reading of each probe, also of one that has been good since but not for long enough. */
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
