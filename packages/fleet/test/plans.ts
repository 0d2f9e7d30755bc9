import type { InstanceRecord } from '../src/plan/instance.js'
import type { Plan, SignedPlan } from '../src/plan/plan.js'

let made = 0

/** A record of an instance with an id of its own. */
export function anInstance(fields: Partial<InstanceRecord> = {}): InstanceRecord {
  made += 1
  return {
    id: `host:${made}:nonce`,
    service: 'journal',
    environment: 'test',
    labels: { zone: 'a' },
    targets: { store: ['adapter/refuse-calls'] },
    sdk: '1.0.0',
    state: 'idle',
    ...fields,
  }
}

/** A plan with a run id of its own, for these instances. */
export function aPlan(fields: Partial<Plan> = {}): Plan {
  made += 1
  return {
    version: 1,
    runId: `run-${made}`,
    fleet: 'test',
    environment: 'test',
    target: 'store',
    fault: 'adapter/refuse-calls',
    options: {},
    how: {},
    instances: [],
    candidates: {},
    selected: {},
    labels: {},
    quorum: 1,
    leaseMs: 5_000,
    maxDurationMs: 60_000,
    caps: {},
    seed: 'seed',
    by: 'ann',
    reason: 'a test',
    ...fields,
  }
}

/** A plan as it travels. Transports do not look at the signature. */
export const signedOf = (plan: Plan): SignedPlan => ({
  text: JSON.stringify(plan),
  keyId: 'key',
  signature: 'signature',
})
