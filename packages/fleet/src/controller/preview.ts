import { isChaosError } from '@chaos/core'
import { listed, messageOf } from '@chaos/core/authoring'
import { capsProblem } from '../plan/caps.js'
import type { InstanceRecord } from '../plan/instance.js'
import type { SigningKey } from '../plan/key-files.js'
import type { Plan } from '../plan/plan.js'
import { signPlan } from '../plan/signature.js'
import { checkPolicy } from '../policy/check-policy.js'
import type { Policy } from '../policy/policy.js'
import { planRun, type PlannedRun, type RunRequest, type RunSettings } from './plan-run.js'

/** What a run would do, and all that refuses it. */
export interface Preview {
  /** `undefined`: there is no plan, for the first of the refusals. */
  readonly planned: PlannedRun | undefined
  /** None: nothing that the controller knows refuses the run. Each instance still checks the plan for itself. */
  readonly refusals: readonly string[]
}

/** What a preview looks at. */
export interface PreviewScene {
  readonly records: readonly InstanceRecord[]
  /** The plans of the runs that live now. */
  readonly running: readonly Plan[]
  readonly settings: RunSettings
  readonly key: Pick<SigningKey, 'keyId' | 'privateKey'>
  readonly policy: Policy | undefined
  /** The time, which the windows of the policy are compared with, in ms since the epoch. */
  readonly nowMs: number
}

/** Makes the plan of a run, and collects everything that refuses it, where a run would stop at the first. Nothing is written. */
export function previewRun(request: RunRequest, scene: PreviewScene): Preview {
  const { records, running, settings, key, policy, nowMs } = scene
  let planned: PlannedRun
  try {
    // The caps are asked below: a choice that exceeds them is still worth seeing.
    planned = planRun(records, request, { ...settings, caps: {} })
  } catch (error) {
    return { planned: undefined, refusals: [reasonOf(error)] }
  }
  const plan: Plan = { ...planned.plan, caps: settings.caps }
  const found = [
    capsProblem(plan, plan.caps),
    policy === undefined ? undefined : checkPolicy(policy, { plan, keyId: key.keyId }, nowMs),
    signingProblem(plan, key),
    busyProblem(plan, running),
  ]
  return { planned: { ...planned, plan }, refusals: found.filter((why) => why !== undefined) }
}

/** Why a plan cannot be signed: it is too long, or the key cannot sign. */
function signingProblem(plan: Plan, { keyId, privateKey }: PreviewScene['key']): string | undefined {
  try {
    signPlan(plan, privateKey, keyId)
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

/** What other runs have taken of a plan: a service has one run at a time. */
function busyProblem({ instances, candidates }: Plan, running: readonly Plan[]): string | undefined {
  const taken = new Set(running.flatMap((other) => other.instances))
  const services = Object.keys(candidates).filter((name) =>
    running.some((other) => Object.hasOwn(other.candidates, name)),
  )
  const busy = [...services, ...instances.filter((id) => taken.has(id))]
  return busy.length === 0 ? undefined : `Another run concerns ${listed(busy)}. Wait until it has ended, or stop it.`
}

function reasonOf(error: unknown): string {
  if (isChaosError(error)) return error.message
  throw error instanceof Error ? error : new Error(messageOf(error))
}
