import type { OptionsInput } from '@chaos/core/authoring'
import type { faultOptions } from './fault-options.js'

/** What is done to pods or to their network. */
export type ChaosMeshAction = keyof typeof faultOptions

/** One fault of Chaos Mesh: the action, and its options. */
export type ChaosMeshFault = {
  readonly [A in ChaosMeshAction]: { readonly action: A } & OptionsInput<(typeof faultOptions)[A]>
}[ChaosMeshAction]

/** One infrastructure fault on an exact list of pods. */
export interface ChaosMeshStep {
  /** The run that the step belongs to: 1 to 100 letters, digits, `-` or `_`. Each object says it, as a label and an annotation. */
  readonly runId: string
  /** The first part of the objects' names. Steps of one run need different names. Default: the action. */
  readonly name?: string
  /** The pods, as `namespace/name`: 1 to 1,000. */
  readonly pods: readonly string[]
  /** The longest time that the fault stays in force, in ms: 1,000 to 86,400,000, one day. It becomes `duration`, the backstop. */
  readonly maxDurationMs: number
  /** Whether the step may do what nothing puts back: `pod-kill` and `container-kill`. Default `refused`. */
  readonly irreversible?: 'refused' | 'allowed'
  readonly fault: ChaosMeshFault
}
