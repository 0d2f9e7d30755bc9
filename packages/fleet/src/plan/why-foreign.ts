import { printable } from '@chaos/core/authoring'
import { ownValue } from './blast-radius.js'
import type { InstanceRecord } from './instance.js'
import type { Plan } from './plan.js'

/**
 * Why a plan is not for an instance; `undefined` if it is. A plan of another fleet or environment, and one that was made
 * before this process started, is refused though its signature is good.
 *
 * @param fleet The fleet that the instance has joined.
 */
export function whyForeign(plan: Plan, instance: InstanceRecord, fleet: string): string | undefined {
  if (plan.fleet !== fleet) return `The plan is for the fleet "${printable(plan.fleet)}", not "${printable(fleet)}".`
  if (plan.environment !== instance.environment)
    return `The plan is for the environment "${printable(plan.environment)}", not "${printable(instance.environment)}".`
  // The id holds a nonce of this start of the process, so an old plan names it no more.
  if (!plan.instances.includes(instance.id))
    return 'The plan does not name this instance. It was made for others, or before this process started.'
  if (ownValue(plan.selected, instance.service) === undefined)
    return `The plan does not count the service "${printable(instance.service)}".`
  for (const [name, value] of Object.entries(plan.labels))
    if (ownValue(instance.labels, name) !== value)
      return `The plan is for instances with ${printable(`${name}=${value}`)}, which this one has not.`
  const faults = ownValue(instance.targets, plan.target)
  if (faults === undefined) return `There is no target "${printable(plan.target)}" here.`
  if (!faults.includes(plan.fault))
    return `The target "${printable(plan.target)}" does not accept the fault "${printable(plan.fault)}".`
  return undefined
}
