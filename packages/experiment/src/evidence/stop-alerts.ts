import { isMeant } from '../model/alerts.js'
import type { Experiment } from '../model/experiment.js'
import { clockOffset } from './clock-offset.js'
import type { Evidence, Monitor } from './evidence.js'
import { maxStandstillMs } from './signs-of-life.js'

/** The evidence that decides whether alerts end a run. */
export type AlertWatch = Pick<Evidence, 'alerts' | 'alertReadings' | 'monitors'>

/**
 * Why the alerts in `mustNotFire` end a run; `undefined`: they do not. An alert that cannot be read may be firing, and one whose
 * rule is not evaluated never would.
 *
 * @param since When the method began, in ms since the epoch. Earlier alerts are a matter of the gate.
 */
export function stopByAlert({ alerts }: Experiment, watch: AlertWatch, since: number): string | undefined {
  const wanted = alerts?.mustNotFire ?? []
  if (wanted.length === 0) return undefined
  const fired = watch.alerts.find(
    (stretch) =>
      stretch.state === 'firing' &&
      (stretch.to === undefined || stretch.to > since) &&
      wanted.some((matcher) => isMeant(stretch, matcher)),
  )
  if (fired !== undefined) return `The alert ${fired.name}, which must not fire, fired: the run was ended.`
  const blind = unreadable(watch, since)
  return blind === undefined
    ? undefined
    : `Whether an alert that must not fire was firing is unknown: ${blind}: the run was ended.`
}

/** Why alerts cannot be read before the method, so that it must not begin; `undefined`: they can be. */
export function cannotBeWatched({ alerts }: Experiment, watch: AlertWatch): string | undefined {
  if ((alerts?.mustNotFire ?? []).length === 0) return undefined
  const [source] = watch.alertReadings.filter(({ isLastFailed }) => isLastFailed)
  if (source !== undefined)
    return `alerts could not be read from ${source.source} (${source.problem ?? 'unknown reason'})`
  const isEvaluated = sourcesOf(watch).some(({ readings }) =>
    readings.some(({ evaluatedAt }) => evaluatedAt !== undefined),
  )
  if (!isEvaluated) return 'no source of alerts shows that rules are evaluated'
  // Only the latest reading counts. What was before it does not matter.
  const stalled = sourcesOf(watch).find((monitor) => hasStalled(monitor, monitor.readings.at(-1)?.at ?? 0))
  return stalled === undefined ? undefined : stalledWords(stalled)
}

function unreadable(watch: AlertWatch, since: number): string | undefined {
  for (const { source, lastFailedAt, problem } of watch.alertReadings)
    if (lastFailedAt !== undefined && lastFailedAt >= since)
      return `alerts could not be read from ${source} (${problem ?? 'unknown reason'})`
  const stalled = sourcesOf(watch).find((monitor) => hasStalled(monitor, since))
  return stalled === undefined ? undefined : stalledWords(stalled)
}

const stalledWords = ({ source, ruleIntervalMs }: Monitor): string =>
  `${source} did not evaluate its rules for more than ${maxStandstillMs(ruleIntervalMs)} ms`

/** The signs of life of the sources of alerts. */
const sourcesOf = ({ alertReadings, monitors }: AlertWatch): readonly Monitor[] =>
  monitors.filter(({ source }) => alertReadings.some((one) => one.source === source))

/**
 * Whether the last evaluation that a source reports was too long ago at a reading since a moment: by its own clock as far as that
 * is known, and at least since this process first saw it.
 */
function hasStalled({ readings, clock, ruleIntervalMs }: Monitor, since: number): boolean {
  const { offsetMs, errorMs } = clockOffset(clock) ?? { offsetMs: Number.NEGATIVE_INFINITY, errorMs: 0 }
  const boundMs = maxStandstillMs(ruleIntervalMs)
  let movedAt: number | undefined
  let last = Number.NEGATIVE_INFINITY
  return readings.some(({ at, evaluatedAt }) => {
    if (evaluatedAt !== undefined && evaluatedAt > last) {
      last = evaluatedAt
      movedAt = at
    }
    return movedAt !== undefined && at >= since && Math.max(at - movedAt, at + offsetMs - errorMs - last) > boundMs
  })
}
