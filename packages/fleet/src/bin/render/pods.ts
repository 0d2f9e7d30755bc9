import { ChaosError } from '@chaos/core'
import { listed, printable } from '@chaos/core/authoring'
import { parseTarget } from '../../controller/select.js'
import { chooseInstances, ownValue } from '../../plan/blast-radius.js'
import { defined } from '../../plan/defined.js'
import type { InstanceRecord } from '../../plan/instance.js'
import type { GivenStep } from './steps.js'

/** Whether a step names pods by instances of the fleet: `pods[service=cart]` where a list of pods is due. */
export const namesInstances = ({ pods, fault }: GivenStep): boolean => isSelector(pods) || isSelector(targetOf(fault))

/**
 * Replaces selectors of instances by the exact pods of those instances, for the pods of a step and for their peer.
 *
 * @throws ChaosError `CHAOS_FLEET_RUN_REFUSED` if nothing matches, `CHAOS_INVALID_OPTION` if a text is no selector of pods, or an
 *   instance has not registered its pod.
 */
export function podsNamed(step: GivenStep, records: readonly InstanceRecord[], seed: string): GivenStep {
  const { pods, fault } = step
  const target = targetOf(fault)
  return {
    ...step,
    ...(isSelector(pods) ? { pods: podsOf(pods, records, seed) } : {}),
    ...(isSelector(target) ? { fault: { ...(fault as object), target: podsOf(target, records, seed) } } : {}),
  }
}

const isSelector = (value: unknown): value is string => typeof value === 'string'

function targetOf(fault: unknown): unknown {
  return typeof fault === 'object' && fault !== null && 'target' in fault ? fault.target : undefined
}

function podsOf(text: string, records: readonly InstanceRecord[], seed: string): readonly string[] {
  const { target, ...selector } = parseTarget(text)
  if (target !== 'pods')
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `Expected a list of pods, or instances of the fleet as \`pods[service=cart,share=0.5]\`, got \`${printable(text)}\`.`,
    )
  const { instances } = chooseInstances(records, { seed, ...defined(selector) })
  const without = instances.filter(({ labels }) => podOf(labels) === undefined)
  if (without.length > 0)
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      `${without.length} of ${instances.length} selected instances have not registered their pod: ${listed(without.slice(0, 5).map(({ id }) => id))}. Set POD_NAME and POD_NAMESPACE from the Downward API in their manifest.`,
    )
  return [...new Set(instances.flatMap(({ labels }) => podOf(labels) ?? []))]
}

function podOf(labels: Readonly<Record<string, string>>): string | undefined {
  const [namespace, pod] = [ownValue(labels, 'namespace'), ownValue(labels, 'pod')]
  return namespace === undefined || pod === undefined ? undefined : `${namespace}/${pod}`
}
