import type { FaultKind } from '../fault/fault.js'
import type { Observed } from '../fault/observed.js'

/**
 * `arming`: the fault is being put in force. `active`: it is in force. `ending`: it has no more hits and is being rolled
 * back. `ended`: it is rolled back.
 */
export type InjectionStatus = 'arming' | 'active' | 'ending' | 'ended'

/**
 * Why an injection ended.
 *
 * - `rolled-back`: `rollback()` was called.
 * - `stopped`: a controller stopped it, or `stopAll` did.
 * - `lease-expired`: its lease ended.
 * - `limit-spent`: its `limit` was reached.
 * - `aborted`: its `signal` aborted, or the controller of a fleet gave its run up.
 * - `completed`: an instant fault is done.
 * - `failed`: the fault could not be put in force, or the thread that it acts in has ended. `failures` says which.
 */
export type InjectionOutcome =
  | 'rolled-back'
  | 'stopped'
  | 'lease-expired'
  | 'limit-spent'
  | 'aborted'
  | 'completed'
  | 'failed'

/** What one of several processes did in an injection. */
export interface InjectionInstance {
  readonly id: string
  readonly service?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Such as `applied`, `reverted`, `refused` or `gone`. */
  readonly status: string
  /** Why it refused or ended. */
  readonly why?: string | undefined
  readonly hits: number
  /** When the fault was seen in force, and when it was seen undone. */
  readonly appliedAt?: number | undefined
  readonly endedAt?: number | undefined
  readonly evidence: readonly Readonly<Record<string, unknown>>[]
}

/** What several processes did in an injection. */
export interface InjectionInstances {
  /** The number of processes by status, also of those not in `list`. */
  readonly counts: Readonly<Record<string, number>>
  /** At most 1,000. */
  readonly list: readonly InjectionInstance[]
}

/** The state of an injection as data. Times are in ms since the epoch. */
export interface InjectionState {
  readonly id: string
  /** The fault's name. */
  readonly fault: string
  readonly kind: FaultKind
  /** The target's name. */
  readonly target: string
  /** The fault's options. A function appears as `[Function name]`, what looks like a credential as `[redacted]`. */
  readonly options: Readonly<Record<string, unknown>>
  readonly seed: string
  /** What it is for: the path or id of a scope, or a predicate as text. */
  readonly scope?: string | undefined
  readonly status: InjectionStatus
  readonly outcome: InjectionOutcome | undefined
  readonly armedAt: number
  readonly leaseMs: number
  readonly leaseEndsAt: number
  /** The time of the first hit or the first evidence. `undefined`: the fault has affected nothing yet. */
  readonly landedAt: number | undefined
  /** The time when the injection was marked ended. No hit is later. */
  readonly endedAt: number | undefined
  /** Calls within the blast radius: `affected + passed`. */
  readonly seen: number
  readonly affected: number
  readonly passed: number
  /** Calls held back right now, including queued ones. */
  readonly held: number
  /** Calls that were not chosen but waited behind held ones. */
  readonly queued: number
  /**
   * The fault's own counters, such as `{ delivered: 7, dropped: 3 }`. Empty if it has none. `lost` counts held work that
   * failed, or whose resource (a connection, a channel) was closed before it ran.
   */
  readonly account: Readonly<Record<string, number>>
  /** What an instant fault reported to have done, oldest first: the last 100 entries. */
  readonly evidence: readonly Readonly<Record<string, unknown>>[]
  /** Messages of failures while the fault was put in force or rolled back. */
  readonly failures: readonly string[]
  /** The calls that it has seen, by operation and scope. Only with `observe`. */
  readonly observed?: Observed | undefined
  /** What each process did, if there are several. */
  readonly instances?: InjectionInstances | undefined
}

/** A fault in force. Its properties are live; {@link Injection.snapshot} freezes a copy. */
export interface Injection extends InjectionState, AsyncDisposable {
  /**
   * Ends the injection and rolls the fault back. Calling it again, or after the lease has ended, does nothing.
   *
   * @throws ChaosError `CHAOS_ROLLBACK_FAILED` if an undo step failed. All other steps have run.
   */
  rollback(): Promise<InjectionState>
  /** Resolves with the final state when the injection has ended. Never rejects. */
  readonly done: Promise<InjectionState>
  snapshot(): InjectionState
}
