import { ChaosError, DEFAULT_LEASE_MS, listed, suggestion, type ChaosController } from '@chaos/core'
import type { AlertRule, AlertTiming } from '../alerts/reader.js'
import type { Experiment, InjectStep } from '../model/experiment.js'

/** What an experiment is checked against before anything is done. */
export interface PreflightFacts {
  readonly controller: ChaosController
  /** Rules of the monitoring; `undefined` where it does not tell. */
  readonly rules: readonly AlertRule[] | undefined
  readonly timing: AlertTiming
  /** Whether a notification has to arrive as well. */
  readonly needsNotification: boolean
  /** Whether alerts can be read at all. */
  readonly hasAlerts: boolean
  /** Why rules could not be read, if so. */
  readonly problems: readonly string[]
}

/**
 * Refuses an experiment that could not but fail: nobody reads the alerts it expects, an unknown target or fault, or a condition that cannot last as
 * long as its alert needs.
 *
 * A standing fault must last for scrape, range, `for`, evaluation and group wait of each alert that must fire. For an instant one the rule's own
 * range must outlast the rest, else `expectedOutageMs` must say that the outage does.
 *
 * @throws ChaosError `CHAOS_EXPERIMENT_REFUSED`
 */
export async function preflight(experiment: Experiment, { controller, rules, timing, needsNotification, hasAlerts }: PreflightFacts): Promise<void> {
  const mustFire = experiment.alerts?.mustFire ?? []
  if (mustFire.length > 0 && !hasAlerts) throw refused(`${mustFire[0]?.name ?? ''} must fire, and nobody reads alerts. Pass a reader as \`alerts\`.`)
  const injects = experiment.method.flatMap((step) => ('inject' in step ? [step.inject] : []))
  if (injects.length === 0) return
  const { refusal } = await controller.info()
  if (refusal !== undefined) throw refused(`The process does not allow faults: ${refusal}`)

  const kinds = await kindsOf(injects, controller)
  const standingMs = injects.flatMap(({ leaseMs = DEFAULT_LEASE_MS, forMs = leaseMs }, index) => (kinds[index] === 'standing' ? [Math.min(leaseMs, forMs)] : []))
  const outageMs = Math.max(0, ...standingMs, experiment.expectedOutageMs ?? 0, betweenFaultsMs(experiment))
  const isInstant = standingMs.length === 0

  const { duringFault } = experiment.recovery
  if (duringFault !== undefined && duringFault.withinMs >= outageMs) {
    throw refused(`${duringFault.probes.join(', ')} must hold ${duringFault.withinMs} ms after the fault landed and while it is in force, and it lasts ${outageMs} ms. Lengthen the lease.`)
  }
  const { scrapeIntervalMs = 0, groupWaitMs = 0 } = timing
  for (const { name, withinMs } of mustFire) {
    const rule = rules?.find((candidate) => candidate.name === name)
    if (rule === undefined) continue
    if (withinMs < rule.forMs) throw refused(`${name} cannot fire within ${withinMs} ms: its condition must last ${rule.forMs} ms.`)
    const parts = { scrape: scrapeIntervalMs, range: rule.rangeMs, for: rule.forMs, evaluation: rule.intervalMs, 'group wait': needsNotification ? groupWaitMs : 0 }
    const neededMs = Object.values(parts).reduce((sum, part) => sum + part, 0)
    // What a range keeps in view lasts as long as the range, also after a fault that is over at once.
    if (outageMs >= neededMs || (isInstant && rule.rangeMs >= neededMs - rule.rangeMs)) continue
    const shown = Object.entries(parts).flatMap(([part, value]) => (value === 0 ? [] : [`${part} ${value}`]))
    throw refused(`${name} may need ${neededMs} ms to fire (${shown.join(' + ')}), and its condition cannot be expected to last longer than ${outageMs} ms. ${isInstant ? 'Say `expectedOutageMs` if it does.' : 'Lengthen the lease.'}`)
  }
}

/** Finds each fault in the catalog of the process. */
async function kindsOf(injects: readonly InjectStep[], controller: ChaosController): Promise<readonly (string | undefined)[]> {
  const [targets, faults] = await Promise.all([controller.targets(), controller.faults()])
  return injects.map(({ target, fault }) => {
    const names = targets.map(({ name }) => name)
    const known = targets.find(({ name }) => name === target)
    if (known === undefined) throw refused(`Expected a target of the process (${listed(names)}), got \`${target}\`.${suggestion(target, names)}`)
    const full = known.faults.find((name) => name === fault || name.slice(name.indexOf('/') + 1) === fault)
    if (full === undefined) throw refused(`Expected a fault of \`${target}\` (${listed(known.faults)}), got \`${fault}\`.${suggestion(fault, known.faults)}`)
    return faults.find(({ name }) => name === full)?.kind
  })
}

/** The waits between the first fault and the last: an outage that is kept up by breaking again and again. */
function betweenFaultsMs({ method }: Experiment): number {
  const first = method.findIndex((step) => 'inject' in step)
  const last = method.reduce((latest, step, index) => ('inject' in step ? index : latest), first)
  return method.slice(first, last).reduce((sum, step) => sum + ('waitMs' in step ? step.waitMs : 0), 0)
}

function refused(message: string): ChaosError {
  return new ChaosError('CHAOS_EXPERIMENT_REFUSED', message)
}
