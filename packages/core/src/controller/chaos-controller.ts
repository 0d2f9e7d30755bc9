import type { FaultInfo } from '../fault/catalog.js'
import type { PortableInjectOptions } from '../injection/inject-options.js'
import type { InjectionState } from '../injection/injection.js'
import type { JournalEntry } from '../injection/journal.js'
import type { MintedScope, MintOptions } from '../scopes/mint.js'

/** A target of a controller. */
export interface TargetInfo {
  readonly name: string
  /** Names of the faults that can be injected into it. */
  readonly faults: readonly string[]
}

/** The settings of a controller, and whether it may inject faults. */
export interface ControllerInfo {
  /** The environment that the process runs in, if the controller knows it. */
  readonly environment: string | undefined
  /** Why the controller refuses to inject right now; `undefined` if injecting is allowed. */
  readonly refusal: string | undefined
  readonly seed: string
  readonly maxLeaseMs: number
  /**
   * The time of the process's clock, in ms since the epoch. All times in its injections and journal come from this clock.
   * `undefined` if the process runs an older version that does not report it; the clock's offset is then unknown.
   */
  readonly now: number | undefined
}

/** The result of {@link ChaosController.stopAll}. */
export interface StopReport {
  /** The final states of the injections that it ended. */
  readonly stopped: readonly InjectionState[]
}

/**
 * Holds the targets and injections of a process. The in-process controller and the client of a control endpoint both
 * implement it, so the same code works inside a test and against a live process.
 */
export interface ChaosController {
  info(): Promise<ControllerInfo>
  targets(): Promise<readonly TargetInfo[]>
  /** Returns every fault that at least one target accepts. */
  faults(): Promise<readonly FaultInfo[]>
  /** Returns the most recently ended injections and those in force, oldest first. */
  injections(): Promise<readonly InjectionState[]>
  /**
   * Injects a fault. Resolves when a standing fault is in force, or an instant one is done.
   *
   * @param fault The full name, or the part after the slash if it is unambiguous.
   * @throws ChaosError `CHAOS_UNKNOWN_TARGET` or `CHAOS_UNKNOWN_FAULT` for a name that is not registered, `CHAOS_INVALID_OPTION` for
   *   invalid options, `CHAOS_ENVIRONMENT_REFUSED` or `CHAOS_DISABLED` if injecting is not allowed.
   */
  inject(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: PortableInjectOptions,
  ): Promise<InjectionState>
  /**
   * Runs the checks of `inject` without injecting anything: environment, names, options, blast radius, lease, id, and
   * whether the fault accepts the target. A sealed target is only found by injecting.
   *
   * @throws ChaosError The errors that {@link ChaosController.inject} throws before it injects.
   */
  check(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: PortableInjectOptions,
  ): Promise<void>
  /**
   * Renews the lease of an injection in force: it then ends `leaseMs` from now, earlier or later than before. No renewal
   * reaches further than `maxLeaseMs` from now; renewals may be repeated.
   *
   * @param leaseMs How long the lease lasts from now, in ms: 1 to `maxLeaseMs` of the controller.
   * @returns The state with the new lease.
   * @throws ChaosError `CHAOS_UNKNOWN_INJECTION` for an unknown id, `CHAOS_INJECTION_ENDED` for an injection that has ended,
   *   `CHAOS_INVALID_OPTION` for an invalid time, `CHAOS_ENVIRONMENT_REFUSED` or `CHAOS_DISABLED` if injecting is not allowed,
   *   `CHAOS_FLEET_RUN_REFUSED` from the controller of a fleet, whose plans are signed with their length.
   */
  renew(id: string, leaseMs: number): Promise<InjectionState>
  /**
   * Ends one injection and returns its final state. Stopping an injection that has ended returns its state again.
   *
   * @throws ChaosError `CHAOS_UNKNOWN_INJECTION` for an unknown id, `CHAOS_ROLLBACK_FAILED` if an undo step failed.
   */
  stop(id: string): Promise<InjectionState>
  /**
   * Ends every injection of the process: those of all controllers, of `inject` without a controller, and of every copy of
   * core. No fault has another hit after the call. It is allowed in every environment.
   *
   * @throws ChaosError `CHAOS_ROLLBACK_FAILED` if an undo step failed or did not settle. All other steps have run.
   */
  stopAll(): Promise<StopReport>
  /**
   * Mints a scope with the key of the process: requests with its header are done in it. Absent: the controller is of several
   * processes, or of a version that mints none.
   *
   * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option.
   */
  mintScope?(options?: MintOptions): Promise<MintedScope>
  /** Calls `listener` with every new journal entry. @returns A function that stops following. */
  follow(listener: (entry: JournalEntry) => void): () => void
}

/**
 * A controller on a connection: the client of another process, or what `connect(url)` of a package resolves to. An injection
 * ends at the latest with its lease, whatever becomes of the connection.
 */
export interface ConnectedController extends ChaosController {
  /** Resolves when the connection is gone, whichever side ended it. Never rejects. */
  readonly closed: Promise<void>
  /** Ends the injections that the connection holds, then disconnects. Further calls have no effect. */
  close(): Promise<void>
}
