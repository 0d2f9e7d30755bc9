import { randomBytes } from 'node:crypto'
import { ChaosError, type PortableInjectOptions } from '@chaos/core'
import {
  checkOptions,
  listed,
  optionsSchema,
  portableInjectOptions,
  printable,
  unknownName,
  DEFAULT_LEASE_MS,
} from '@chaos/core/authoring'
import { chooseInstances, ownValue, shareOf, type Selection } from '../plan/blast-radius.js'
import { isData } from '../plan/canonical.js'
import { capsProblem } from '../plan/caps.js'
import { checkPlan, MAX_DURATION_MS } from '../plan/check-plan.js'
import { defined } from '../plan/defined.js'
import type { InstanceRecord } from '../plan/instance.js'
import type { Caps, Plan } from '../plan/plan.js'
import { scopeOfRun } from '../plan/run-scope.js'
import { runRefused } from '../plan/refusals.js'
import { faultNamed, parseTarget, type FleetTarget } from './select.js'

/** A fault that somebody asks for. */
export interface RunRequest {
  /** The target of the fleet: `db[service=journal,share=0.1]`. */
  readonly target: string
  /** The full name of the fault, or the part after the slash. */
  readonly fault: string
  readonly options?: Readonly<Record<string, unknown>> | undefined
  /**
   * The blast radius within each instance. `leaseMs` is the longest time in force. The `scope` `request` is that of the requests
   * whose header names the run.
   */
  readonly how?: PortableInjectOptions | undefined
}

/** What all runs of a controller have in common. */
export interface RunSettings {
  readonly fleet: string
  readonly environment: string
  /** The seed of the choice of instances, unless the target names one. */
  readonly seed: string
  readonly leaseMs: number
  /** The share of the instances that must be ready, above 0 and at most 1. */
  readonly quorum: number
  readonly caps: Caps
  readonly by: string
  readonly reason: string
}

/** A plan, and the choice of instances that it rests on. */
export interface PlannedRun {
  readonly plan: Plan
  readonly selection: Selection
  readonly kind: 'standing' | 'instant'
}

const howSchema = optionsSchema(portableInjectOptions)

/**
 * Makes the plan of a run from the instances that there are. Nothing is written anywhere.
 *
 * @throws ChaosError `CHAOS_UNKNOWN_TARGET` or `CHAOS_UNKNOWN_FAULT` if no instance has the target or the fault,
 *   `CHAOS_INVALID_OPTION` for an invalid target or option, `CHAOS_FLEET_RUN_REFUSED` if the choice is empty, exceeds a cap or
 *   contains an instance without the fault, `CHAOS_FLEET_PLAN_REFUSED` if the plan is not valid.
 */
export function planRun(
  records: readonly InstanceRecord[],
  { target: text, fault, options = {}, how: given = {} }: RunRequest,
  settings: RunSettings,
): PlannedRun {
  const asked = parseTarget(text)
  const { leaseMs = DEFAULT_LEASE_MS, id: _id, observe: _observe, ...how } = checkOptions(howSchema, given, 'the run')
  if (leaseMs > MAX_DURATION_MS)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected \`leaseMs\` of a run to be at most ${MAX_DURATION_MS}, got \`${leaseMs}\`.`,
    )
  const fleet = records.filter(({ environment }) => environment === settings.environment)
  const name = faultNamed(fault, asked.target, faultsOf(fleet, asked.target))
  const seed = asked.seed ?? settings.seed
  const { target, ...selector } = { ...asked, service: serviceOf(fleet, asked) }
  const selection = chooseInstances(fleet, { ...defined(selector), seed })
  const { instances, candidates, selected } = selection
  const without = instances.filter(({ targets }) => ownValue(targets, target)?.includes(name) !== true)
  if (without.length > 0)
    throw runRefused(
      `${without.length} of ${instances.length} selected instances cannot run ${printable(name)} in ${printable(target)}: ${listed(without.map(({ id }) => id))}. Select by a label that only the others have.`,
    )
  const runId = randomBytes(20).toString('base64url')
  const plan = checkPlan({
    version: 1,
    runId,
    fleet: settings.fleet,
    environment: settings.environment,
    target,
    fault: name,
    options,
    how: defined({ ...how, scope: scopeOfRun(how.scope, runId) }),
    instances: instances.map((instance) => instance.id),
    candidates,
    selected,
    labels: asked.labels,
    quorum: Math.max(1, instances.length - shareOf(instances.length, 1 - settings.quorum)),
    leaseMs: settings.leaseMs,
    maxDurationMs: leaseMs,
    caps: settings.caps,
    seed,
    by: settings.by,
    reason: settings.reason,
  } satisfies Plan)
  const foreign = Object.keys(plan.options).find((option) => !isData(plan.options[option]))
  if (foreign !== undefined)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `The option \`${printable(foreign)}\` of ${printable(name)} holds what JSON cannot carry, such as a function or an error, so it cannot travel to the instances. Pass plain data.`,
    )
  const problem = capsProblem(plan, plan.caps)
  if (problem !== undefined) throw runRefused(problem)
  return {
    plan,
    selection,
    kind: instances.some(({ instant = [] }) => instant.includes(name)) ? 'instant' : 'standing',
  }
}

/** All faults that a target has in some instance. @throws ChaosError `CHAOS_UNKNOWN_TARGET` if no instance has the target. */
function faultsOf(fleet: readonly InstanceRecord[], target: string): readonly string[] {
  const faults = fleet.flatMap(({ targets }) => ownValue(targets, target) ?? [])
  if (faults.length > 0) return [...new Set(faults)]
  const known = new Set(fleet.flatMap(({ targets }) => Object.keys(targets)))
  throw new ChaosError('CHAOS_UNKNOWN_TARGET', unknownName('target of the fleet', target, [...known]))
}

/**
 * The service of a run. A target without any selector means the one service that has it, so that an experiment of one
 * process runs on a fleet as it is.
 */
function serviceOf(fleet: readonly InstanceRecord[], { target, service, labels }: FleetTarget): string | undefined {
  if (service !== undefined || Object.keys(labels).length > 0) return service
  const having = fleet.filter(({ targets }) => ownValue(targets, target) !== undefined)
  const services = [...new Set(having.map((instance) => instance.service))]
  if (services.length === 1) return services[0]
  throw runRefused(
    `Several services have the target "${printable(target)}": ${listed(services)}. Name one: \`${printable(target)}[service=…]\`.`,
  )
}
