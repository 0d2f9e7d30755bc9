import type { InjectionOutcome, InjectionState } from '@chaos/core'
import { instancesOf } from './instance-report.js'
import { accountOf } from './outcomes.js'
import type { RunEnd, RunState } from './run-state.js'

/** What an injection of a fleet was asked to be. */
export interface Asked {
  readonly id: string
  /** The target as the caller named it, with its selector. */
  readonly target: string
  readonly kind: 'standing' | 'instant'
}

/** The most evidence that a state holds, as of an injection in process. */
const MAX_EVIDENCE = 100

/**
 * Shows a run as one injection: its counts are those of all instances together.
 *
 * A fault that ends by itself in every instance has ended by its lease, as the outage ends. A run that was lost, halted, cut
 * short or disturbed by a rollout, or whose window has closed, is `aborted`, with the reason among its failures: its evidence
 * says nothing.
 */
export function injectionStateOf(asked: Asked, run: RunState): InjectionState {
  const { plan, instances } = run
  const hits = instances.reduce((sum, one) => sum + one.hits, 0)
  const startedAt = run.activeAt ?? run.openedAt
  const outcome = run.end === undefined ? undefined : OUTCOMES[run.end]
  return {
    id: asked.id,
    fault: plan.fault,
    kind: asked.kind,
    target: asked.target,
    options: plan.options,
    seed: String(plan.how.seed ?? plan.seed),
    status: STATUSES[run.status],
    outcome: run.status === 'ended' ? outcome : undefined,
    armedAt: run.openedAt,
    leaseMs: plan.maxDurationMs,
    leaseEndsAt: startedAt + plan.maxDurationMs,
    landedAt: run.landedAt,
    endedAt: run.status === 'ended' ? run.endedAt : undefined,
    // Calls that pass are counted in each instance alone.
    seen: hits,
    affected: hits,
    passed: 0,
    held: 0,
    queued: 0,
    account: accountOf(instances),
    evidence: instances
      .flatMap(({ id, evidence }) => evidence.map((one) => ({ ...one, instance: id })))
      .slice(-MAX_EVIDENCE),
    failures: run.why === undefined ? [] : [run.why],
    instances: instancesOf(run),
  }
}

const STATUSES = { preparing: 'arming', active: 'active', ending: 'ending', ended: 'ended' } as const

const OUTCOMES: Readonly<Record<RunEnd, InjectionOutcome>> = {
  'max-duration': 'lease-expired',
  'limit-spent': 'limit-spent',
  completed: 'completed',
  stopped: 'stopped',
  refused: 'failed',
  halted: 'aborted',
  'not-permitted': 'aborted',
  lost: 'aborted',
  rollout: 'aborted',
  'too-few': 'aborted',
}
