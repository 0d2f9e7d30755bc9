import type { Observed } from './observed.js'

/** The options of an injection for where its target really is. All of them are data. */
export interface DelegatedOptions {
  readonly id: string
  readonly seed: string
  /** What is left of the lease, in ms. */
  readonly leaseMs: number
  readonly only?: string | readonly string[]
  readonly rate?: number
  readonly limit?: number
  readonly limitPerOperation?: number
  readonly skip?: number
  readonly every?: number
  readonly observe?: boolean
}

/** What an injection there has counted until now, by the names of its state. */
export interface DelegatedCounts {
  readonly seen: number
  readonly affected: number
  readonly queued: number
  readonly held: number
  readonly account: Readonly<Record<string, number>>
  readonly observed?: Observed | undefined
}

/** A hit there. */
export interface DelegatedHit {
  readonly operation: string
  readonly call: number
  /** How long ago it was, in ms of real time. An injection with a clock of its own takes the hit as one of now. */
  readonly agoMs: number
}

/** Why an injection has ended there. */
export type DelegatedOutcome = 'stopped' | 'lease-expired' | 'limit-spent' | 'failed'

/** An injection whose decisions are made elsewhere. What it is told after its end is ignored. */
export interface Delegation {
  /** How to inject the fault there. Equal seed and id give equal decisions. */
  readonly how: DelegatedOptions
  /** Takes over the counts from there. */
  readonly count: (counts: DelegatedCounts) => void
  /** Journals a hit from there; the first one lands the fault. It changes no count. */
  readonly hit: (hit: DelegatedHit) => void
  /** Journals a warning from there. */
  readonly warn: (message: string) => void
  /**
   * Ends the injection, since it has ended there. One that is still being put in force ends right after.
   *
   * @param failures What went wrong there. The state lists it. Default: nothing.
   */
  readonly end: (outcome: DelegatedOutcome, failures?: readonly unknown[]) => void
}
