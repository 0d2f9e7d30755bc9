/** What an instance does right now. */
export type InstanceState = 'idle' | 'ready' | 'applied' | 'reverting' | 'leaving'

/** One process of a fleet. */
export interface InstanceRecord {
  /**
   * `host:pid:bootNonce`; on Kubernetes `podUid:bootNonce`. The nonce is drawn when the process joins, so a restarted process
   * is another instance.
   */
  readonly id: string
  readonly service: string
  readonly environment: string
  readonly labels: Readonly<Record<string, string>>
  /** The full names of the faults of each target. */
  readonly targets: Readonly<Record<string, readonly string[]>>
  /** The full names of those faults that are instant: they happen once. Every other fault is standing. Default: none. */
  readonly instant?: readonly string[]
  /** When the process joined, by its own wall clock, in ms since the epoch. For people: nothing is decided by it. */
  readonly joinedAt?: number
  /** The version of this package in the process. */
  readonly sdk: string
  readonly state: InstanceState
}
