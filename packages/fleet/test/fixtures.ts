import type { ChaosErrorCode } from '@chaos/core'
import { expect } from 'vitest'
import type { InstanceRecord } from '../src/plan/instance.js'
import type { Plan } from '../src/plan/plan.js'

/** An instance of the service `journal` that can be broken. */
export function instance(id: string, given: Partial<InstanceRecord> = {}): InstanceRecord {
  return {
    id,
    service: 'journal',
    environment: 'staging',
    labels: { zone: 'eu-1' },
    targets: { db: ['adapter/delay-calls', 'adapter/fail-calls'], workers: ['worker/terminate'] },
    instant: ['worker/terminate'],
    sdk: '1.0.0',
    state: 'idle',
    ...given,
  }
}

/** Instances `i-0`, `i-1` and so on. */
export const instances = (count: number, given: Partial<InstanceRecord> = {}): readonly InstanceRecord[] =>
  Array.from({ length: count }, (_, index) => instance(`i-${index}`, given))

/** A valid plan for two of four instances. */
export function plan(given: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    runId: 'run-0123456789-0123456789',
    fleet: 'shop',
    environment: 'staging',
    target: 'db',
    fault: 'adapter/delay-calls',
    options: { delayMs: 200 },
    how: { rate: 0.5 },
    instances: ['i-0', 'i-1'],
    candidates: { journal: 4 },
    selected: { journal: 2 },
    labels: { zone: 'eu-1' },
    quorum: 2,
    leaseMs: 5_000,
    maxDurationMs: 30_000,
    caps: { maxInstances: 10 },
    seed: 'a',
    by: 'ann',
    reason: 'a drill',
    ...given,
  }
}

/** A matcher for an error with a code, whose message contains a text. */
export const refusal = (code: ChaosErrorCode, why: string): Error =>
  expect.objectContaining({ code, message: expect.stringContaining(why) as string }) as Error
