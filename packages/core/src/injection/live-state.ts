import type { Clock } from '../basics/clock.js'
import { messagesOf } from '../process/end-injections.js'
import { asData } from '../fault/data.js'
import type { Fault } from '../fault/fault.js'
import type { InjectOptions } from './inject-options.js'
import type { InjectionOutcome, InjectionState, InjectionStatus } from './injection.js'
import type { JournalWriter } from './journal.js'

/** The resolved and checked settings of an injection. */
export interface Arming extends InjectOptions {
  readonly id: string
  readonly seed: string
  readonly leaseMs: number
  readonly targetName: string
  readonly clock: Clock
  readonly journal: JournalWriter
}

/** The most evidence entries per injection. */
const MAX_EVIDENCE = 100

/**
 * The changing state of an injection. Its fields are those of {@link InjectionState}, so that a snapshot can copy them by enumeration.
 */
export abstract class LiveState {
  readonly id: string
  readonly fault: string
  readonly kind: Fault['kind']
  readonly target: string
  /** Converted to data when the fault is armed: a live object that throws when it is read later must not keep the injection from ending. */
  readonly options: Readonly<Record<string, unknown>>
  readonly seed: string
  status: InjectionStatus = 'arming'
  outcome: InjectionOutcome | undefined = undefined
  readonly armedAt: number
  readonly leaseMs: number
  readonly leaseEndsAt: number
  landedAt: number | undefined = undefined
  endedAt: number | undefined = undefined
  seen = 0
  affected = 0
  queued = 0
  readonly account: Record<string, number> = {}
  readonly evidence: Readonly<Record<string, unknown>>[] = []
  failures: readonly string[] = []

  readonly #failed: unknown[] = []

  constructor({ name, kind, options, portable }: Fault, { id, targetName, seed, clock, leaseMs }: Arming) {
    this.id = id
    this.fault = name
    this.kind = kind
    this.target = targetName
    // Portable options are frozen data already.
    this.options = portable ? options : (asData(options) as Record<string, unknown>)
    this.seed = seed
    this.armedAt = clock.now()
    this.leaseMs = leaseMs
    this.leaseEndsAt = this.armedAt + leaseMs
  }

  get passed(): number {
    return this.seen - this.affected
  }

  abstract get held(): number

  snapshot(): InjectionState {
    // The own enumerable fields are the state. All other members are private or on the prototype.
    return Object.freeze(
      Object.assign({}, this as Omit<InjectionState, 'passed' | 'held'>, {
        passed: this.passed,
        held: this.held,
        account: { ...this.account },
        evidence: [...this.evidence],
      }),
    )
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
