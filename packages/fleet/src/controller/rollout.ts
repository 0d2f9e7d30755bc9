import { printable } from '@chaos/core/authoring'
import type { InstanceRecord } from '../plan/instance.js'

/** The share of the instances whose replacement makes a rollout. */
const SHARE = 0.1
/** The most replaced instances that are named. */
const MAX_NAMED = 5
/** The fewest replaced instances that make a rollout: one may have been restarted by its supervisor. */
const FEWEST = 2

/**
 * Watches for a rollout: many instances of the affected services are gone, and as many have joined since.
 *
 * Where some instances are not affected by the run, only those are looked at: the affected ones may restart because of the
 * fault, which is a result.
 *
 * @param before The instances when the run was planned.
 * @param services The affected services.
 * @param affected The ids of the affected instances.
 * @returns A function that says what it sees in a newer list; `undefined`: no rollout.
 */
export function rolloutWatch(
  before: readonly InstanceRecord[],
  services: readonly string[],
  affected: readonly string[],
): (now: readonly InstanceRecord[]) => string | undefined {
  const isAffected = new Set(affected)
  const idsOf = (records: readonly InstanceRecord[]): readonly string[] =>
    records.filter(({ service, state }) => services.includes(service) && state !== 'leaving').map(({ id }) => id)
  const known = new Set(idsOf(before))
  const unaffected = [...known].filter((id) => !isAffected.has(id))
  const watched = unaffected.length >= FEWEST ? unaffected : [...known]
  const limit = Math.max(FEWEST, Math.ceil(watched.length * SHARE))
  return (records) => {
    const present = new Set(idsOf(records))
    const gone = watched.filter((id) => !present.has(id))
    const born = [...present].filter((id) => !known.has(id)).length
    if (gone.length < limit || born < limit) return undefined
    const named = gone.slice(0, MAX_NAMED).map((id) => printable(id))
    const more = gone.length > named.length ? ` and ${gone.length - named.length} more` : ''
    return `${gone.length} of ${watched.length} instances were replaced during the run, as in a rollout: ${named.join(', ')}${more}`
  }
}
