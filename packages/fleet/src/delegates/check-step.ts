import { ChaosError } from '@chaos/core'
import { checkOptions, option, optionsSchema, unknownName, type OptionsOutput } from '@chaos/core/authoring'
import { faultOptions, podList } from './fault-options.js'
import type { ChaosMeshAction } from './step.js'

/** One fault whose options are checked, with defaults filled in. */
export type CheckedFault = {
  readonly [A in ChaosMeshAction]: { readonly action: A } & OptionsOutput<(typeof faultOptions)[A]>
}[ChaosMeshAction]

/** The actions that end what they affect. Nothing puts it back; Kubernetes may start another. */
const ONE_SHOT: readonly string[] = ['pod-kill', 'container-kill']

const stepSchema = optionsSchema({
  runId: option.matching(/^[\w-]{1,100}$/, '1 to 100 letters, digits, `-` or `_`', 'The run.'),
  name: option.optional(
    option.matching(
      /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
      'at most 40 lower-case letters, digits and `-`, with a letter first',
      'The first part of the objects’ names.',
    ),
  ),
  pods: podList,
  maxDurationMs: option.count('The longest time that the fault stays in force, in ms.', 1_000, 86_400_000),
  irreversible: option.optional(
    option.oneOf(['refused', 'allowed'], 'Whether the step may do what nothing puts back.'),
    'refused',
  ),
  fault: option.object('The action and its options.'),
})

/** A step that can be rendered. */
export type CheckedStep = Omit<OptionsOutput<typeof stepSchema>, 'fault'> & { readonly fault: CheckedFault }

/**
 * Checks a step before anything is rendered.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`, or `CHAOS_FLEET_IRREVERSIBLE` if the step does not allow its one-shot action.
 */
export function checkStep(given: unknown): CheckedStep {
  const step = checkOptions(stepSchema, given, 'a Chaos Mesh step')
  refuseEmpty(step.pods, 'pods', 'a Chaos Mesh step')
  const { action, ...options } = step.fault
  if (!isAction(action))
    throw new ChaosError(
      'CHAOS_INVALID_OPTION',
      unknownName('action of Chaos Mesh', typeof action === 'string' ? action : '', Object.keys(faultOptions)),
    )
  if (ONE_SHOT.includes(action) && step.irreversible !== 'allowed')
    throw new ChaosError(
      'CHAOS_FLEET_IRREVERSIBLE',
      `The step kills what it affects: nothing undoes \`${action}\`. If that is meant, set \`irreversible: 'allowed'\`. An action that Chaos Mesh can take back is \`pod-failure\`.`,
    )
  const of = `chaos-mesh/${action}`
  const checked = checkOptions(optionsSchema(faultOptions[action]), options, of)
  const fault = { ...checked, action } as CheckedFault
  refuseContradiction(fault, of)
  return { ...step, fault }
}

const isAction = (action: unknown): action is ChaosMeshAction =>
  typeof action === 'string' && Object.hasOwn(faultOptions, action)

function refuseContradiction(fault: CheckedFault, of: string): void {
  if (fault.action === 'container-kill') refuseEmpty(fault.containers, 'containers', of)
  if (fault.action === 'pod-kill' || fault.action === 'pod-failure' || fault.action === 'container-kill') return
  const { target, externalTargets, direction, action } = fault
  if (target !== undefined) refuseEmpty(target, 'target', of)
  if (externalTargets !== undefined) refuseEmpty(externalTargets, 'externalTargets', of)
  if (action === 'partition') {
    if (target === undefined && externalTargets === undefined)
      refuse(
        `Expected \`target\` or \`externalTargets\` of ${of}: without a peer the pods lose all traffic, that of their liveness probes too.`,
      )
    return
  }
  if (direction === 'to') return
  if (externalTargets !== undefined)
    refuse(`Expected \`direction\` of ${of} to be "to", since Chaos Mesh shapes no traffic from \`externalTargets\`.`)
  if (target === undefined)
    refuse(`Expected \`target\` of ${of}, since Chaos Mesh shapes the traffic at the pods that it comes from.`)
}

function refuseEmpty(list: readonly unknown[], name: string, of: string): void {
  if (list.length === 0) refuse(`Expected \`${name}\` of ${of} to have at least one entry, got an empty list.`)
}

function refuse(message: string): never {
  throw new ChaosError('CHAOS_INVALID_OPTION', message)
}
