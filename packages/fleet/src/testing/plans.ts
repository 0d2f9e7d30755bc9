import type { Plan, SignedPlan } from '../plan/plan.js'

let runs = 0

/** Makes a plan for tests. Each has a run id of its own. */
export function testPlan(given: Partial<Plan> = {}): Plan {
  runs += 1
  const instances = given.instances ?? ['host:1:nonce']
  return {
    version: 1,
    runId: `run-of-a-test-${Math.random().toString(36).slice(2, 14)}-${runs}`,
    fleet: 'test',
    environment: 'test',
    target: 'it',
    fault: 'test/silence',
    options: {},
    how: {},
    instances,
    candidates: { shop: instances.length },
    selected: { shop: instances.length },
    labels: {},
    quorum: instances.length,
    leaseMs: 5_000,
    maxDurationMs: 60_000,
    caps: {},
    seed: 'seed',
    by: 'test',
    reason: 'a test',
    ...given,
  }
}

/** A plan as it travels, with a signature that only a transport accepts. */
export const unsigned = (plan: Plan): SignedPlan => ({ text: JSON.stringify(plan), keyId: 'test', signature: 'none' })
