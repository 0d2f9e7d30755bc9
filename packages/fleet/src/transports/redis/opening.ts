import { createHash } from 'node:crypto'
import type { Plan, SignedPlan } from '../../plan/plan.js'

/** Returns what a run takes: its instances, and the services that it concerns, since a service has one run at a time. */
export function placesOf(plan: Plan): readonly string[] {
  return [...plan.instances.map((id) => `tgt:${id}`), ...Object.keys(plan.candidates).map((name) => `svc:${name}`)]
}

/** Returns what the audit log says of a run. The digest identifies the plan, which may be long. */
export function openingDetails(signed: SignedPlan, plan: Plan): Readonly<Record<string, string>> {
  return {
    runId: plan.runId,
    fault: plan.fault,
    target: plan.target,
    environment: plan.environment,
    services: Object.keys(plan.candidates).join(', ').slice(0, 4_096),
    instances: String(plan.instances.length),
    leaseMs: String(plan.leaseMs),
    maxDurationMs: String(plan.maxDurationMs),
    reason: plan.reason.slice(0, 4_096),
    planSha256: createHash('sha256').update(signed.text).digest('hex'),
    keyId: signed.keyId,
    signature: signed.signature,
  }
}
