import type { FaultKind } from '../fault/fault.js'

/** `arming`: being put in force. `active`: in force. `ending`: no new hits, the way back is being taken. `ended`: the target is bare again. */
export type InjectionStatus = 'arming' | 'active' | 'ending' | 'ended'

/**
 * Why an injection ended: `rolled-back` (its own `rollback`), `stopped` (stop all, or by a controller), `lease-expired`,
 * `limit-spent`, `aborted` (its signal), `completed` (an instant fault is done), `failed` (it could not be put in force).
 */
export type InjectionOutcome =
  'rolled-back' | 'stopped' | 'lease-expired' | 'limit-spent' | 'aborted' | 'completed' | 'failed'

/** What is known of an injection, as data. Times are in ms since the epoch. */
export interface InjectionState {
  readonly id: string
  /** The fault's name. */
  readonly fault: string
  readonly kind: FaultKind
  /** The target's name. */
  readonly target: string
  /** The fault's options; a function shows as `[Function name]`. */
  readonly options: Readonly<Record<string, unknown>>
  readonly seed: string
  readonly status: InjectionStatus
  readonly outcome: InjectionOutcome | undefined
  readonly armedAt: number
  readonly leaseMs: number
  readonly leaseEndsAt: number
  /** When it first did something: the first hit, or the first evidence. `undefined`: it has hit nothing. */
  readonly landedAt: number | undefined
  /** When it was marked ended: no hit is later than this. */
  readonly endedAt: number | undefined
  /** Operations that the blast radius covers: `affected + passed`. */
  readonly seen: number
  readonly affected: number
  readonly passed: number
  /** Operations kept back right now, the queued ones included. */
  readonly held: number
  /** Operations that were not chosen but waited behind held ones. */
  readonly queued: number
  /** What the fault counts besides `seen` and `affected`: `{ delivered: 7, dropped: 3 }`. Empty for a fault that counts nothing more. `lost`: held work whose time came when what it was held on was closed. */
  readonly account: Readonly<Record<string, number>>
  /** What an instant fault says it did, oldest first; the last 100. */
  readonly evidence: readonly Readonly<Record<string, unknown>>[]
  /** Messages of what failed while it was put in force or taken back. */
  readonly failures: readonly string[]
}

/** A fault in force. Its properties are live; {@link Injection.snapshot} freezes them. */
export interface Injection extends InjectionState, AsyncDisposable {
  /**
   * Ends the injection and takes everything back. Calling it again, or after the lease, is harmless.
   *
   * @throws ChaosError `CHAOS_ROLLBACK_FAILED` when an undo step failed; the others have run all the same.
   */
  rollback(): Promise<InjectionState>
  /** Settles when the injection has ended, with its last state. Never rejects. */
  readonly done: Promise<InjectionState>
  snapshot(): InjectionState
}
