import { ChaosError, type ChaosController } from '@chaos/core'
import type { InstanceRecord } from '../plan/instance.js'
import { capsProblem } from '../plan/caps.js'
import type { Caps, Plan, SignedPlan } from '../plan/plan.js'
import { planRefused } from '../plan/refusals.js'
import { verifyPlan, type PinnedKeys } from '../plan/signature.js'
import { whyForeign } from '../plan/why-foreign.js'
import { checkPolicy } from '../policy/check-policy.js'
import type { Policy } from '../policy/policy.js'

/** What a process accepts. */
export interface Acceptance {
  readonly fleet: string
  readonly keys: PinnedKeys
  readonly caps: Caps
  readonly policy: Policy | undefined
}

/**
 * Checks a plan again when the fault is to be put in force: time has passed since it was checked.
 *
 * @throws ChaosError `CHAOS_FLEET_PLAN_REFUSED`
 */
export function checkWindow(plan: Plan, keyId: string, { policy }: Pick<Acceptance, 'policy'>, nowMs: number): void {
  const why = policy === undefined ? undefined : checkPolicy(policy, { plan, keyId }, nowMs)
  if (why !== undefined) throw planRefused(why)
}

/**
 * Checks a plan before this process says that it is ready. The guard of the process decides first: a plan can only narrow
 * what the process allows. Then come the signature, for whom the plan is, how much it may affect, and whether the fault can
 * be injected with these options.
 *
 * @param runId The name under which the engine has shown the plan.
 * @param nowMs The time of the wall clock, for the windows of a policy.
 * @throws ChaosError `CHAOS_FLEET_PLAN_REFUSED`, or the error of the controller's guard or check.
 */
export async function checkRun(
  { signed, runId }: { readonly signed: SignedPlan; readonly runId: string },
  instance: Omit<InstanceRecord, 'state'>,
  controller: ChaosController,
  { fleet, keys, caps, policy }: Acceptance,
  nowMs: number,
): Promise<Plan> {
  const { refusal, maxLeaseMs } = await controller.info()
  if (refusal !== undefined) throw new ChaosError('CHAOS_ENVIRONMENT_REFUSED', refusal)
  const plan = verifyPlan(signed, keys)
  if (plan.runId !== runId) throw planRefused('It was signed for another run.')
  const why =
    whyForeign(plan, { ...instance, state: 'idle' }, fleet) ??
    capsProblem(plan, plan.caps) ??
    capsProblem(plan, caps) ??
    (policy === undefined ? undefined : checkPolicy(policy, { plan, keyId: signed.keyId }, nowMs)) ??
    (plan.maxDurationMs > maxLeaseMs
      ? `It may last ${plan.maxDurationMs} ms, longer than \`maxLeaseMs\` of the process: ${maxLeaseMs}.`
      : undefined)
  if (why !== undefined) throw planRefused(why)
  await controller.check(plan.target, plan.fault, plan.options, {
    ...plan.how,
    leaseMs: Math.min(plan.leaseMs, maxLeaseMs),
  })
  return plan
}
