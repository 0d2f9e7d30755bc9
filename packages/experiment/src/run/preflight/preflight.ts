import { ChaosError, isChaosError, type ChaosController } from '@chaos/core'
import { DEFAULT_LEASE_MS, unknownName } from '@chaos/core/authoring'
import type { AlertRule, AlertTiming } from '../../alerts/reader.js'
import { inWords, shown } from '../../shared/answer.js'
import type { Experiment, InjectStep } from '../../model/experiment.js'
import { injectOptionsOf, injectionIdOf } from '../recorder/injection-log.js'
import { alertProblem, rulesOf } from './alerts.js'
import { queryProblem } from './queries.js'
import { timingProblem } from './timing.js'

/** The facts that an experiment is checked against before the run. */
export interface PreflightFacts {
  readonly controller: ChaosController
  /** The alerting rules; `undefined`: no source provides rules. */
  readonly rules: readonly AlertRule[] | undefined
  /** For each source whose rules could not be read: the reason. Default: none. */
  readonly rulesProblems?: readonly string[]
  readonly timing: AlertTiming
  /** Whether the notification of each required alert must arrive. */
  readonly needsNotification: boolean
  /** Whether the run has a reader of alerts. */
  readonly hasAlerts: boolean
  /** The pause between two readings, in ms. */
  readonly pollMs?: number
}

/**
 * Refuses an experiment that cannot pass, before anything is broken. Reasons: alerts without a reader or a rule, alerts
 * that cannot fire or resolve in time, budgets that are too short for an observation, invalid queries, faults that
 * affect nothing, an unknown target or fault, and invalid fault options.
 *
 * @throws ChaosError `CHAOS_EXPERIMENT_REFUSED` with the reason. Also rejects when the controller cannot be reached.
 */
export async function preflight(
  experiment: Experiment,
  { controller, rules, rulesProblems = [], timing, needsNotification, hasAlerts, pollMs = 0 }: PreflightFacts,
): Promise<void> {
  refuse(timingProblem(experiment, pollMs))
  refuse(alertProblem(experiment, { rules, rulesProblems, hasAlerts }))
  refuse(await queryProblem(experiment))
  const injects = experiment.method.flatMap((step) => ('inject' in step ? [step.inject] : []))
  if (injects.length === 0) return
  const { refusal, maxLeaseMs } = await controller.info()
  if (refusal !== undefined) throw refused(`No fault is allowed now: ${shown(refusal)}`)

  const kinds = await kindsOf(injects, controller)
  await checkFaults(experiment, controller)
  const standingMs = injects.flatMap(({ leaseMs = Math.min(DEFAULT_LEASE_MS, maxLeaseMs), forMs = leaseMs }, index) =>
    kinds[index] === 'standing' ? [Math.min(leaseMs, forMs)] : [],
  )
  const inForceMs = Math.max(0, ...standingMs, betweenFaultsMs(experiment))
  const outageMs = Math.max(inForceMs, experiment.expectedOutageMs ?? 0)
  refuse(
    outageProblem(experiment, {
      inForceMs,
      outageMs,
      isInstant: standingMs.length === 0,
      rules: rules ?? [],
      timing,
      needsNotification,
    }),
  )
}

/** Asks the process to check each fault with the options of the run. Nothing is armed. */
async function checkFaults({ title, method }: Experiment, controller: ChaosController): Promise<void> {
  for (const [index, step] of method.entries()) {
    if (!('inject' in step)) continue
    const { target, fault, options = {} } = step.inject
    try {
      await controller.check(target, fault, options, injectOptionsOf(step.inject, injectionIdOf(title, index)))
    } catch (error) {
      // An unreachable process is not a refusal of the fault.
      if (isChaosError(error, 'CHAOS_ENDPOINT_UNREACHABLE')) throw error
      throw new ChaosError(
        'CHAOS_EXPERIMENT_REFUSED',
        `Step ${index + 1} of the method cannot be done (${shown(fault)} into ${shown(target)}). ${inWords(error)}`,
        { cause: error },
      )
    }
  }
}

interface Outage {
  /** How long faults are in force, one after the other. */
  readonly inForceMs: number
  /** How long the condition is expected to last. */
  readonly outageMs: number
  readonly isInstant: boolean
  readonly rules: readonly AlertRule[]
  readonly timing: AlertTiming
  readonly needsNotification: boolean
}

/**
 * Why the outage is too short for what must be observed during it; `undefined`: it is long enough.
 *
 * A standing fault must last for the scrape interval, range, `for`, evaluation interval and group wait of each alert in
 * `mustFire`. For an instant fault, the rule's range must be longer than the rest, or `expectedOutageMs` must be set.
 */
function outageProblem(
  { alerts, recovery: { duringFault } }: Experiment,
  { inForceMs, outageMs, isInstant, rules, timing, needsNotification }: Outage,
): string | undefined {
  if (duringFault !== undefined && duringFault.withinMs >= inForceMs) {
    return `${duringFault.probes.join(', ')} must hold ${duringFault.withinMs} ms after the fault landed, while the fault is in force, but the fault lasts ${inForceMs} ms. Lengthen the lease.`
  }
  const { scrapeIntervalMs = 0, groupWaitMs = 0 } = timing
  for (const expected of alerts?.mustFire ?? []) {
    // If several rules have the name, one that can fire is enough.
    const problems = rulesOf(expected, rules).map((rule) => {
      const parts = {
        scrape: scrapeIntervalMs,
        range: rule.rangeMs,
        for: rule.forMs,
        evaluation: rule.intervalMs,
        'group wait': needsNotification ? groupWaitMs : 0,
      }
      const neededMs = Object.values(parts).reduce((sum, part) => sum + part, 0)
      // A range keeps an instant fault visible for the length of the range.
      if (outageMs >= neededMs || (isInstant && rule.rangeMs >= neededMs - rule.rangeMs)) return undefined
      const listedParts = Object.entries(parts).flatMap(([part, value]) => (value === 0 ? [] : [`${part} ${value}`]))
      return `${expected.name} may need ${neededMs} ms to fire (${listedParts.join(' + ')}), and its condition cannot be expected to last longer than ${outageMs} ms. ${isInstant ? 'If it lasts longer, set `expectedOutageMs`.' : 'Lengthen the lease.'}`
    })
    if (problems.length > 0 && !problems.includes(undefined)) return problems[0]
  }
  return undefined
}

function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw refused(problem)
}

/** Looks up the kind of each fault in the catalog of the process. */
async function kindsOf(
  injects: readonly InjectStep[],
  controller: ChaosController,
): Promise<readonly (string | undefined)[]> {
  const [targets, faults] = await Promise.all([controller.targets(), controller.faults()])
  return injects.map(({ target, fault }) => {
    const names = targets.map(({ name }) => name)
    // A target of a fleet may have a selector in brackets, which its controller reads: `db[service=journal]`.
    const [base = target] = target.split('[', 1)
    const known = targets.find(({ name }) => name === target) ?? targets.find(({ name }) => name === base)
    if (known === undefined) throw refused(unknownName('target', target, names))
    const full = known.faults.find((name) => name === fault || name.slice(name.indexOf('/') + 1) === fault)
    if (full === undefined) throw refused(unknownName(`fault of target "${target}"`, fault, known.faults))
    return faults.find(({ name }) => name === full)?.kind
  })
}

/** The sum of the waits between the first fault and the last. Repeated faults prolong the outage by it. */
function betweenFaultsMs({ method }: Experiment): number {
  const first = method.findIndex((step) => 'inject' in step)
  const last = method.reduce((latest, step, index) => ('inject' in step ? index : latest), first)
  return method.slice(first, last).reduce((sum, step) => sum + ('waitMs' in step ? step.waitMs : 0), 0)
}

function refused(message: string): ChaosError {
  return new ChaosError('CHAOS_EXPERIMENT_REFUSED', message)
}
