import {
  checkOptions,
  messageOf,
  option,
  optionsSchema,
  portableInjectOptions,
  printable,
  MAX_TIMER_MS,
} from '@chaos/core/authoring'
import { canonicalJson } from './canonical.js'
import { defined } from './defined.js'
import type { Plan } from './plan.js'
import { planRefused } from './refusals.js'

/** The largest plan, in bytes of its text. */
export const MAX_PLAN_BYTES = 1_048_576
/** The most instances of a plan. */
export const MAX_INSTANCES = 10_000
/** The shortest and the longest lease of a run, in ms. */
export const LEASE_MS = { min: 1_000, max: 60_000, default: 5_000 } as const
/** The longest time that a fault of a run may stay in force, in ms: one day. */
export const MAX_DURATION_MS = 86_400_000
/** The most services of a plan. */
const MAX_SERVICES = 1_000
/** The most characters in a name: of a fleet, a service, a label. */
export const MAX_NAME = 200

const { leaseMs: _leaseMs, id: _id, observe: _observe, ...howOptions } = portableInjectOptions

const name = (description: string) => option.text(description, MAX_NAME)

/** The declarations of {@link Caps}. Plans and policies share them. */
export const capsOptions = {
  maxInstances: option.optional(option.count('The most instances of a run.', 1, MAX_INSTANCES)),
  maxShare: option.optional(option.rate('The largest share of the instances of one service, 0 to 1.')),
  minHealthy: option.optional(
    option.count('The fewest instances of each service that a run must leave unaffected.', 0, MAX_INSTANCES),
  ),
}

const planSchema = optionsSchema({
  version: option.count('The version of the format.', 1, 1),
  runId: option.matching(/^[\w-]{20,100}$/, '20 to 100 letters, digits or -_', 'The name of the run.'),
  fleet: name('The fleet.'),
  environment: name('The environment.'),
  target: name('The target in each instance.'),
  fault: name('The full name of the fault.'),
  options: option.object("The fault's options."),
  how: optionsSchema(howOptions),
  instances: option.list(option.text('The id of an instance.', 512), MAX_INSTANCES, 'instances'),
  candidates: option.object('Instances of each affected service.'),
  selected: option.object('Instances of the plan by service.'),
  labels: option.object('Labels that every instance of the plan has.'),
  quorum: option.count('Instances that must be ready.', 1, MAX_INSTANCES),
  leaseMs: option.number('The lease, in ms.', LEASE_MS.min, LEASE_MS.max, 'a number of ms'),
  maxDurationMs: option.number(
    'The longest time in force, in ms.',
    1,
    Math.min(MAX_DURATION_MS, MAX_TIMER_MS),
    'a number of ms',
  ),
  caps: optionsSchema(capsOptions),
  seed: name('The seed of the choice of instances.'),
  by: name('Who runs it.'),
  reason: option.text('Why.', 1_000),
})

/**
 * Reads the text of a plan. It is untrusted until its signature has been checked, and bounded and complete afterwards.
 *
 * @returns The plan, frozen.
 * @throws ChaosError `CHAOS_FLEET_PLAN_REFUSED` if the text is longer than 1 MiB, is not the canonical JSON of a plan, has a
 *   field that plans do not have, or a value that the field does not accept.
 */
export function parsePlan(text: string): Plan {
  if (text.length > MAX_PLAN_BYTES || Buffer.byteLength(text) > MAX_PLAN_BYTES)
    throw planRefused(`It is longer than ${MAX_PLAN_BYTES} bytes. Select fewer instances, or pass smaller options.`)
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (error) {
    throw planRefused(`It is not JSON: ${messageOf(error)}.`, error)
  }
  const plan = checkPlan(data)
  // JSON can say one thing in many ways, and the same key twice. One form leaves nothing for two readers to read differently.
  if (canonicalJson(plan) !== text)
    throw planRefused('Its text is not canonical JSON. Write it with the function that signs plans.')
  return plan
}

/**
 * Checks the values of a plan.
 *
 * @returns The plan, frozen.
 * @throws ChaosError `CHAOS_FLEET_PLAN_REFUSED` as {@link parsePlan}.
 */
export function checkPlan(data: unknown): Plan {
  let plan
  try {
    plan = checkOptions(planSchema, data, 'the plan')
  } catch (error) {
    throw planRefused(messageOf(error, { max: 1_000 }), error)
  }
  const counts = { candidates: countsOf('candidates', plan.candidates), selected: countsOf('selected', plan.selected) }
  const { instances, quorum } = plan
  if (instances.length === 0) throw planRefused('It names no instance.')
  if (new Set(instances).size !== instances.length) throw planRefused('It names an instance twice.')
  if (quorum > instances.length)
    throw planRefused(`Its quorum is ${quorum}, but it names ${instances.length} instances.`)
  const selected = Object.values(counts.selected).reduce((sum, count) => sum + count, 0)
  if (selected !== instances.length)
    throw planRefused(`It names ${instances.length} instances, but \`selected\` adds up to ${selected}.`)
  for (const [service, count] of Object.entries(counts.selected)) {
    const of = Object.hasOwn(counts.candidates, service) ? (counts.candidates[service] ?? 0) : 0
    if (count > of)
      throw planRefused(`It names ${count} instances of the service "${printable(service)}", which has ${of}.`)
  }
  return Object.freeze({
    ...plan,
    ...counts,
    version: 1,
    how: Object.freeze(defined(plan.how)),
    caps: Object.freeze(defined(plan.caps)),
    labels: textsOf('labels', plan.labels),
  })
}

/** @throws ChaosError `CHAOS_FLEET_PLAN_REFUSED` if a value is not a whole number of instances */
function countsOf(field: string, given: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  const entries = Object.entries(given)
  if (entries.length > MAX_SERVICES) throw planRefused(`Its \`${field}\` has more than ${MAX_SERVICES} services.`)
  for (const [service, count] of entries)
    if (service.length > MAX_NAME || !Number.isSafeInteger(count) || Number(count) < 1 || Number(count) > 1_000_000)
      throw planRefused(
        `Expected \`${field}\` to have a whole number of instances by service, got \`${printable(count)}\` for "${printable(service)}".`,
      )
  return given as Readonly<Record<string, number>>
}

/** @throws ChaosError `CHAOS_FLEET_PLAN_REFUSED` if a value is not a short text */
function textsOf(field: string, given: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const entries = Object.entries(given)
  if (entries.length > MAX_LABELS) throw planRefused(`Its \`${field}\` has more than ${MAX_LABELS} entries.`)
  for (const [key, value] of entries)
    if (key.length > MAX_NAME || typeof value !== 'string' || value.length > MAX_NAME)
      throw planRefused(
        `Expected \`${field}\` to have texts of at most ${MAX_NAME} characters, got \`${printable(value)}\` for "${printable(key)}".`,
      )
  return given as Readonly<Record<string, string>>
}

/** The most labels of a plan. */
const MAX_LABELS = 100
