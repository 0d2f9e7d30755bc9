import type { FaultInfo } from '../fault/catalog.js'
import type { PortableInjectOptions } from '../injection/inject-options.js'
import type { InjectionState } from '../injection/injection.js'
import type { JournalEntry } from '../injection/journal.js'

/** Something that can be broken. */
export interface TargetInfo {
  readonly name: string
  /** Names of the faults that can be injected into it. */
  readonly faults: readonly string[]
}

/** What a controller is, and whether it may break anything. */
export interface ControllerInfo {
  /** The environment it runs in, if it knows one. */
  readonly environment: string | undefined
  /** Why arming is refused right now, or `undefined` when it is allowed. */
  readonly refusal: string | undefined
  readonly seed: string
  readonly maxLeaseMs: number
  /**
   * The process's own clock at the answer, in ms since the epoch: the clock of every time that its injections and journal entries carry.
   * `undefined` when an app with an older version does not say it; how far its clock is off is then unknown.
   */
  readonly now: number | undefined
}

/** What {@link ChaosController.stopAll} did. */
export interface StopReport {
  /** The injections it ended, in their last state. */
  readonly stopped: readonly InjectionState[]
}

/**
 * What holds a process's targets and injections. The in-process controller and the client of a control endpoint
 * both implement it, so what is written against it runs inside a test and against a live process alike.
 */
export interface ChaosController {
  info(): Promise<ControllerInfo>
  targets(): Promise<readonly TargetInfo[]>
  /** Every fault that some target can take. */
  faults(): Promise<readonly FaultInfo[]>
  /** Live injections and the most recently ended ones, oldest first. */
  injections(): Promise<readonly InjectionState[]>
  /**
   * Puts a fault in force; resolves when it is armed (standing) or done (instant).
   *
   * @param fault Full name, or the part after the slash where that is unambiguous.
   * @throws ChaosError `CHAOS_UNKNOWN_TARGET`, `CHAOS_UNKNOWN_FAULT`, `CHAOS_INVALID_OPTION`, `CHAOS_ENVIRONMENT_REFUSED`, `CHAOS_DISABLED`
   */
  inject(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: PortableInjectOptions,
  ): Promise<InjectionState>
  /**
   * Checks what `inject` would check, and arms nothing: the guard, names, options, blast radius, lease, id, and whether the fault takes the target.
   * Whether a target is sealed shows only when a fault is armed.
   *
   * @throws ChaosError As {@link ChaosController.inject} does before it arms.
   */
  check(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: PortableInjectOptions,
  ): Promise<void>
  /** @throws ChaosError `CHAOS_UNKNOWN_INJECTION` */
  stop(id: string): Promise<InjectionState>
  /**
   * Ends every injection of the process: of all its controllers, of a bare `inject`, and of every copy of core. No new hit happens once it is
   * called, and no guard refuses it.
   *
   * @throws ChaosError `CHAOS_ROLLBACK_FAILED` when an undo step failed or did not settle; the others have run all the same.
   */
  stopAll(): Promise<StopReport>
  /** Follows what happens from now on. @returns Stops following. */
  follow(listener: (entry: JournalEntry) => void): () => void
}
