import type { Experiment } from '../model/experiment.js'
import { isMeant } from '../model/alerts.js'
import { clockOffset, MAX_STEP_MS } from '../evidence/clock-offset.js'
import type { Evidence } from '../evidence/evidence.js'
import { endingOf, landingOf } from '../evidence/marks.js'
import { ms } from './words.js'

/** How much a reported time may contradict this run's own observation, in ms, before the clock counts as wrong. */
const MAX_CONTRADICTION_MS = 250

/** Why times reported by another process cannot be compared with this process's clock; `undefined`: they can. */
export function clockProblem({ alerts: declared }: Experiment, evidence: Evidence): string | undefined {
  const { injections, appClock, alerts, monitors } = evidence
  if (injections.length > 0) {
    const offset = clockOffset(appClock)
    if (offset === undefined)
      return 'The clock of the process in which faults were injected could not be read, so when they landed and ended is unknown.'
    if (offset.steppedMs > MAX_STEP_MS)
      return `The clock of the process in which faults were injected was set during the run, by ${ms(offset.steppedMs)} at least.`
    for (const injection of injections) {
      const contradictionMs = Math.max(
        landingOf(injection, offset)?.contradictionMs ?? 0,
        endingOf(injection, offset)?.contradictionMs ?? 0,
      )
      if (contradictionMs > MAX_CONTRADICTION_MS)
        return `${injection.fault} reports that it landed or ended ${ms(contradictionMs)} away from the time at which the run saw it.`
    }
  }
  for (const { source, clock } of monitors) {
    const offset = clockOffset(clock)
    const isUsed = alerts.some(
      (alert) =>
        alert.source === source &&
        alert.activeAt !== undefined &&
        declared?.mustFire.some((expected) => isMeant(alert, expected)) === true,
    )
    if (isUsed && offset === undefined)
      return `The clock of the monitoring at ${source} could not be read, so when the condition of an alert began is unknown.`
    if (offset !== undefined && offset.steppedMs > MAX_STEP_MS)
      return `The clock of the monitoring at ${source} was set during the run, by ${ms(offset.steppedMs)} at least.`
  }
  return undefined
}
