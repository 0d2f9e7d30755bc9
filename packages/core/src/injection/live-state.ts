import type { Clock } from '../basics/clock.js'
import { messagesOf } from '../process/end-injections.js'
import { redacted } from '../basics/redact.js'
import { asData } from '../fault/data.js'
import type { Fault } from '../fault/fault.js'
import type { InjectOptions } from './inject-options.js'
import type { InjectionOutcome, InjectionState, InjectionStatus } from './injection.js'
import type { JournalWriter } from './journal.js'
import type { Observed } from '../fault/observed.js'
import { scopeText } from '../blast-radius/in-scope.js'
import { CallCounts } from './observed-calls.js'

/** The resolved and checked settings of an injection. */
export interface Arming extends InjectOptions {
  readonly id: string
  readonly seed: string
  readonly leaseMs: number
  /** The longest lease that the injection may have with all extensions, in ms. */
  readonly maxLeaseMs: number
  readonly targetName: string
  readonly clock: Clock
  readonly journal: JournalWriter
}

/** The most evidence entries per injection. */
const MAX_EVIDENCE = 100

/** The changing state of an injection. Its fields are those of {@link InjectionState}. */
export abstract class LiveState {
  readonly id: string
  readonly fault: string
  readonly kind: Fault['kind']
  readonly target: string
  /** Converted to data when the fault is armed: a live object that throws when it is read later must not keep the injection from ending. */
  readonly options: Readonly<Record<string, unknown>>
  readonly seed: string
  readonly scope: string | undefined
  status: InjectionStatus = 'arming'
  outcome: InjectionOutcome | undefined = undefined
  readonly armedAt: number
  leaseMs: number
  leaseEndsAt: number
  landedAt: number | undefined = undefined
  endedAt: number | undefined = undefined
  seen = 0
  affected = 0
  queued = 0
  readonly account: Record<string, number> = {}
  readonly evidence: Readonly<Record<string, unknown>>[] = []
  failures: readonly string[] = []
  /** Counts calls by operation and scope, with `observe`. */
  protected readonly counts: CallCounts | undefined

  readonly #failed: unknown[] = []

  constructor(
    { name, kind, options, portable }: Fault,
    { id, targetName, seed, scope, observe, clock, leaseMs }: Arming,
  ) {
    this.id = id
    this.fault = name
    this.kind = kind
    this.target = targetName
    // Portable options are frozen data already. The fault itself keeps the credentials that are left out here.
    this.options = redacted(portable ? options : asData(options)) as Record<string, unknown>
    this.seed = seed
    this.scope = scopeText(scope)
    this.counts = observe === true ? new CallCounts() : undefined
    this.armedAt = clock.now()
    this.leaseMs = leaseMs
    this.leaseEndsAt = this.armedAt + leaseMs
  }

  get passed(): number {
    return this.seen - this.affected
  }

  get observed(): Observed | undefined {
    return this.counts?.snapshot()
  }

  abstract get held(): number

  /** Made for each entry of the life cycle. A literal of known keys takes a fifth of the memory of a copy by enumeration. */
  snapshot(): InjectionState {
    return Object.freeze({
      id: this.id,
      fault: this.fault,
      kind: this.kind,
      target: this.target,
      options: this.options,
      seed: this.seed,
      ...(this.scope !== undefined && { scope: this.scope }),
      status: this.status,
      outcome: this.outcome,
      armedAt: this.armedAt,
      leaseMs: this.leaseMs,
      leaseEndsAt: this.leaseEndsAt,
      landedAt: this.landedAt,
      endedAt: this.endedAt,
      seen: this.seen,
      affected: this.affected,
      passed: this.passed,
      held: this.held,
      queued: this.queued,
      failures: this.failures,
      account: { ...this.account },
      evidence: [...this.evidence],
      ...(this.counts !== undefined && { observed: this.observed }),
    })
  }

  protected addFailures(failures: readonly unknown[]): void {
    if (failures.length === 0) return
    this.#failed.push(...failures)
    this.failures = messagesOf(this.#failed)
  }

  protected addEvidence(evidence: Readonly<Record<string, unknown>>): void {
    if (this.evidence.length === MAX_EVIDENCE) this.evidence.shift()
    this.evidence.push(evidence)
  }
}
