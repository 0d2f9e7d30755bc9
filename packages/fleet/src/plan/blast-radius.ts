import { createHash } from 'node:crypto'
import { listed, printable } from '@chaos/core/authoring'
import type { InstanceRecord } from './instance.js'
import { runRefused } from './refusals.js'

/** Which instances of a fleet a run may affect. */
export interface Selector {
  /** The service of the instances. */
  readonly service?: string
  /** Labels that each instance has. */
  readonly labels?: Readonly<Record<string, string>>
  /** The share of the candidates, above 0 and at most 1. Rounded down to whole instances. Default 1. */
  readonly share?: number
  /** The most instances. Default: no limit. */
  readonly cap?: number
  /** The seed of the choice. Equal seed and instances give an equal choice. */
  readonly seed: string
}

/** The instances that a selector has chosen. */
export interface Selection {
  /** In the order of the choice: a smaller share takes the first ones. */
  readonly instances: readonly InstanceRecord[]
  /** The instances that the selector matches, chosen or not. */
  readonly matched: number
  /** All instances of each affected service, which the caps refer to. */
  readonly candidates: Readonly<Record<string, number>>
  readonly selected: Readonly<Record<string, number>>
}

/**
 * Chooses instances: those that match are sorted by a hash of seed and id, and the first `floor(n × share)` are taken, at
 * most `cap`.
 *
 * The count is exact. The choice repeats with the seed, and 5 % are among the 10 % of the same seed, so a larger share only
 * adds instances. An instance that leaves or joins changes the place of no other one.
 *
 * @throws ChaosError `CHAOS_FLEET_RUN_REFUSED` if the selector is empty, matches nothing, or its share of them is no instance.
 */
export function chooseInstances(fleet: readonly InstanceRecord[], selector: Selector): Selection {
  const { service, labels = {}, share = 1, cap = Number.POSITIVE_INFINITY, seed } = selector
  if (service === undefined && Object.keys(labels).length === 0)
    throw runRefused('An empty selector would select the whole fleet. Name a service or a label.')
  const matching = fleet.filter(
    (instance) =>
      instance.state !== 'leaving' &&
      (service === undefined || instance.service === service) &&
      Object.entries(labels).every(([name, value]) => ownValue(instance.labels, name) === value),
  )
  if (matching.length === 0) throw runRefused(nothingMatches(fleet, selector))
  const count = Math.min(cap, shareOf(matching.length, share))
  if (count === 0)
    throw runRefused(
      `A share of ${share} of ${matching.length} matching instances is less than one instance. Raise the share.`,
    )
  const ranked = matching
    .map((instance) => ({ instance, rank: rankOf(seed, instance.id) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.instance.id < b.instance.id ? -1 : 1))
  const instances = ranked.slice(0, count).map(({ instance }) => instance)
  const selected = countBy(instances)
  const all = countBy(fleet.filter(({ state }) => state !== 'leaving'))
  const candidates = Object.fromEntries(Object.keys(selected).map((name) => [name, ownValue(all, name) ?? 0]))
  return { instances, matched: matching.length, candidates, selected }
}

/** `floor(n × share)`, without the error of binary fractions: 0.29 of 100 are 29. */
export function shareOf(n: number, share: number): number {
  return Math.floor(Number((n * share).toPrecision(12)))
}

/** The place of an instance in the choice of a seed. */
function rankOf(seed: string, id: string): string {
  return createHash('sha256')
    .update(JSON.stringify([seed, id]))
    .digest('hex')
}

/** Counts instances by service. */
function countBy(instances: readonly InstanceRecord[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { service } of instances) counts.set(service, (counts.get(service) ?? 0) + 1)
  return Object.fromEntries(counts)
}

/** The value of an own property: a label may be called like a member of every object. */
export function ownValue<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}

function nothingMatches(fleet: readonly InstanceRecord[], { service, labels = {} }: Selector): string {
  const services = [...new Set(fleet.map((instance) => instance.service))]
  const asked = [
    ...(service === undefined ? [] : [`service=${service}`]),
    ...Object.entries(labels).map(([name, value]) => `${name}=${value}`),
  ].join(',')
  return `No instance matches ${printable(asked)}. The services with instances are ${listed(services)}.`
}
