import type { Clock } from '../basics/clock.js'
import { messagesOf } from '../process/end-injections.js'
import { asData } from '../fault/data.js'
import type { Fault } from '../fault/fault.js'
import type { InjectOptions } from './inject-options.js'
import type { InjectionOutcome, InjectionState, InjectionStatus } from './injection.js'
import type { JournalWriter } from './journal.js'

/** What an injection is armed with, resolved and checked. */
export interface Arming extends InjectOptions {
  readonly id: string
  readonly seed: string
  readonly leaseMs: number
  readonly targetName: string
  readonly clock: Clock
  readonly journal: JournalWriter
}

/** Evidence kept per injection. */
const MAX_EVIDENCE = 100

/**
 * The state of an injection as it changes. Its fields are those of {@link InjectionState}: a snapshot copies them, and nothing else spells them.
 */
export abstract class LiveState {
  readonly id: string
  readonly fault: string
  readonly kind: Fault['kind']
  readonly target: string
  /** Data, made when the fault is armed: what a live object says of itself later must not keep an injection from ending. */
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
    // What JSON can carry is frozen data already.
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
    // Own enumerable fields are the state; what the class adds is private or on its prototype.
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
