import type { FleetChange } from '../watch/changes.js'
import type { FleetView, WatchedRun } from '../watch/fleet-view.js'
import { countWords, instanceTable } from './run-table.js'
import { span, timeOf } from './span.js'
import { windowJson, windowWords } from './window.js'

/** Shows a fleet at one time. @param rows The most lines; each run gets a fair part of them. */
export function viewLines(fleet: string, { at, window, runs }: FleetView, rows: number): readonly string[] {
  const head = `fleet ${fleet} at ${timeOf(at)}: ${windowWords(window)}`
  if (runs.length === 0) return [head, 'no run']
  // A run takes five lines besides those of its instances.
  const each = Math.max(1, Math.floor((rows - 1) / runs.length) - 5)
  return [head, ...runs.flatMap((run) => ['', ...runLines(run, each)])]
}

const PHASES: Readonly<Record<WatchedRun['phase'], string>> = {
  prepare: 'preparing, nobody is affected',
  active: 'in force',
  halted: 'halted',
  over: 'over',
}

function runLines({ id, plan, phase, leaseLeftMs, instances }: WatchedRun, max: number): readonly string[] {
  const lease = phase === 'over' ? '' : `, lease ${span(leaseLeftMs)} of ${span(plan.leaseMs)} left`
  const silent = phase === 'over' ? instances.filter((one) => one.status === 'applied').length : 0
  const hits = instances.reduce((sum, one) => sum + one.hits, 0)
  return [
    `run ${id}: ${plan.fault} into ${plan.target}, ${PHASES[phase]}${lease}`,
    `  by ${plan.by}: ${plan.reason}`,
    `  ${countWords(instances)}; ${hits} hits`,
    ...(silent === 0
      ? []
      : [`  ${silent} have not said that they are whole; each is, at the latest when its lease has ended`]),
    ...instanceTable(instances, max),
  ]
}

/** A change, as one line. */
export function changeLine(change: FleetChange): string {
  const at = timeOf(change.at)
  switch (change.type) {
    case 'window':
      return `${at}  ${change.halt === undefined ? (change.isPermitted ? 'runs are permitted' : 'closed, so no run may begin') : `halted: ${change.halt}`}`
    case 'run':
      return `${at}  run ${change.run}: ${PHASES[change.phase]}: ${change.fault} into ${change.target}, ${change.instances} instances, by ${change.by}`
    case 'instance':
      return `${at}  run ${change.run}: ${change.id}: ${change.status}${change.why === undefined ? '' : ` (${change.why})`}, ${change.hits} hits`
  }
}

/** A fleet at one time, as JSON. */
export const viewJson = (fleet: string, { at, window, runs }: FleetView) => ({
  fleet,
  at,
  window: windowJson(window),
  runs: runs.map(({ id, plan, phase, leaseLeftMs, instances }) => ({
    runId: id,
    phase,
    target: plan.target,
    fault: plan.fault,
    environment: plan.environment,
    by: plan.by,
    reason: plan.reason,
    leaseMs: plan.leaseMs,
    leaseLeftMs,
    instances: instances.map(({ id, status, why, hits }) => ({ id, status, why: why ?? null, hits })),
  })),
})
