import { printable } from '@chaos/core/authoring'
import { ownValue } from './blast-radius.js'
import type { Caps, Plan } from './plan.js'

/**
 * Why a plan exceeds caps; `undefined` if it keeps them. The controller and each agent ask this same function: for the
 * caps of the plan itself, and for those of a policy.
 */
export function capsProblem(
  { instances, selected, candidates }: Pick<Plan, 'instances' | 'selected' | 'candidates'>,
  { maxInstances = Number.POSITIVE_INFINITY, maxShare = 1, minHealthy = 0 }: Caps,
): string | undefined {
  if (instances.length > maxInstances)
    return `${instances.length} instances are more than the cap \`maxInstances\` of ${maxInstances}.`
  for (const [service, count] of Object.entries(selected)) {
    const all = ownValue(candidates, service) ?? 0
    const named = `${count} of ${all} instances of the service "${printable(service)}"`
    // Multiplied, since a quotient may be off by a rounding.
    if (count > Number((all * maxShare).toPrecision(12)))
      return `${named} are more than the cap \`maxShare\` of ${maxShare}.`
    if (all - count < minHealthy)
      return `${named} leave ${all - count} unaffected, fewer than the cap \`minHealthy\` of ${minHealthy}.`
  }
  return undefined
}
