import type { InstanceRecord } from '../plan/instance.js'
import type { Plan, SignedPlan } from '../plan/plan.js'

/** Whether the agents of a run prepare, or have the fault in force. */
export type Phase = 'prepare' | 'active'

/** What an agent answers about a run. It is sent again, as long as it is true: with each read until the engine has it, then about once a lease. */
export interface Ack {
  readonly status: 'ready' | 'applied' | 'reverted' | 'refused'
  /** Why the agent refused or reverted. */
  readonly why?: string
  /** The operations that the fault has affected in this instance. */
  readonly hits?: number
  /**
   * How long ago the agent began to put the fault in force, and how long ago the fault first had an effect, in ms by its monotonic
   * clock. Counted when the answer was new; it may be told again later.
   */
  readonly appliedAgoMs?: number
  readonly landedAgoMs?: number
  readonly evidence?: readonly Readonly<Record<string, unknown>>[]
}

/** The run that an instance belongs to, as one read shows it. */
export interface RunView {
  readonly id: string
  readonly phase: Phase
  /** The epoch in which the run was opened. */
  readonly epoch: number
  /** A number that each renewal raises. */
  readonly beat: number
  /** The rest of the lease by the clock of the engine, in ms. */
  readonly remainingMs: number
  readonly signed: SignedPlan
}

/** What one read of an agent returns. All of it is read in one step, from the primary. */
export interface Snapshot {
  /** Whether runs are permitted: the window is open, and nobody has called a halt. */
  readonly isPermitted: boolean
  readonly epoch: number
  readonly run: RunView | undefined
}

/**
 * What an agent needs of an engine. A method rejects with `CHAOS_FLEET_UNREACHABLE` if the engine does not answer, and never
 * throws synchronously.
 */
export interface AgentTransport {
  /** Reports the instance, and reads what concerns it: one round trip. */
  read(instance: InstanceRecord): Promise<Snapshot>
  ack(runId: string, instanceId: string, ack: Ack): Promise<void>
  /** Calls the listener when a read may show something new. A lost call delays, but harms nothing. */
  onWake(listener: () => void): () => void
  close(): Promise<void>
}

/** The answer to opening a run. */
export type OpenResult =
  | { readonly isOpen: true; readonly epoch: number }
  | { readonly isOpen: false; readonly why: 'not-permitted' | 'halted' }
  /** Instances that belong to another run, or services that one concerns. */
  | { readonly isOpen: false; readonly why: 'busy'; readonly busy: readonly string[] }

/**
 * The answer to renewing a run. `lost`: the run is gone, or has another owner; it is never opened again. `halted`: somebody has
 * called a halt since it was opened. `not-permitted`: the window in which runs are permitted has closed.
 */
export type Renewal = 'renewed' | 'lost' | 'halted' | 'not-permitted'

/** Names a run and proves who owns it. */
export interface OwnedRun {
  readonly runId: string
  /** A random text that only the controller of the run knows. */
  readonly owner: string
}

/** An entry of the audit log. */
export interface AuditEntry {
  readonly id: string
  /** The time by the clock of the engine, in ms since the epoch. */
  readonly at: number
  readonly what: string
  readonly by: string
  readonly details: Readonly<Record<string, string>>
}

/** A halt as it is kept. */
export interface Halt {
  readonly reason: string
  readonly by: string
  /** When it was called, by the clock of its caller, in ms since the epoch. `undefined`: nobody wrote it down. */
  readonly at: number | undefined
}

/** The answer to a halt. It is in force, whatever the rest says. */
export interface HaltResult {
  readonly epoch: number
  /** The replicas that have confirmed it. */
  readonly replicas: number
  /** The replicas that were connected. One that has not confirmed a halt would not know of it as the next primary. */
  readonly connectedReplicas: number
  /** The halt that was there before, which stays. `undefined`: there was none. */
  readonly earlier: Halt | undefined
}

/** What a controller, a halter or an operator needs of an engine. Errors are those of {@link AgentTransport}. */
export interface ControllerTransport {
  list(): Promise<readonly InstanceRecord[]>
  /** Opens a run in the phase `prepare`, if it is permitted and none of its instances is busy. */
  open(signed: SignedPlan, plan: Plan, owner: string): Promise<OpenResult>
  renew(run: OwnedRun, leaseMs: number, phase: Phase): Promise<Renewal>
  close(run: OwnedRun, plan: Plan): Promise<void>
  /** The latest answer of each instance, by instance id. */
  acks(runId: string): Promise<ReadonlyMap<string, Ack>>
  /** The runs that live, of all controllers, newest first: at most 1,000. Their plans are as untrusted as any text of the engine. */
  runs(): Promise<readonly RunView[]>
  /** Ends all runs and forbids new ones, without any controller. */
  halt(reason: string, by: string): Promise<HaltResult>
  /** Permits runs for a time, and lifts a halt. `0` ms: forbids them. */
  permit(forMs: number, by: string, reason: string): Promise<{ readonly epoch: number }>
  /** Whether runs are permitted, until when, and the reason of a halt. */
  status(): Promise<{
    readonly isPermitted: boolean
    readonly openForMs: number
    readonly halt: string | undefined
    readonly epoch: number
  }>
  /** The last entries of the audit log, oldest first. @param before The id of an entry: only those before it. */
  audit(count: number, before?: string): Promise<readonly AuditEntry[]>
  note(what: string, by: string, details: Readonly<Record<string, string>>): Promise<void>
  onWake(listener: () => void): () => void
  disconnect(): Promise<void>
}
