import type { ConnectedController, InjectionState, MintedScope, MintOptions, PortableInjectOptions } from '@chaos/core'
import type { AppEvent } from '../api/app-event.js'
import type { AuditEntry } from '../api/audit-log.js'

/** When a fault of a client ends. */
export interface HoldOptions {
  /**
   * When the fault ends. `lease`: when its lease ends. `connection`: at once when this client closes or dies, and at
   * the latest when its lease ends. Default `lease`.
   */
  readonly hold?: 'lease' | 'connection'
}

/** Inject options of a client. */
export interface RemoteInjectOptions extends PortableInjectOptions, HoldOptions {}

/** One injection of a batch: the body of `POST /injections`. */
export interface BatchedInjection extends PortableInjectOptions {
  readonly target: string
  readonly fault: string
  readonly options?: Readonly<Record<string, unknown>>
}

/** A controller in another process. */
export interface ControlClient extends ConnectedController {
  inject(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: RemoteInjectOptions,
  ): Promise<InjectionState>
  check(
    target: string,
    fault: string,
    options?: Readonly<Record<string, unknown>>,
    how?: RemoteInjectOptions,
  ): Promise<void>
  /**
   * Injects up to 100 faults: all of them, or none. All are checked before the first is injected, and are injected in order.
   * If one fails, those before it are rolled back. At most the last one may be instant.
   *
   * @returns The states of the injections, in order, when all are in force (standing) or done (instant).
   * @throws ChaosError The error of the injection that failed. Its message and `details.field` (`/injections/2/rate`) name it.
   */
  injectAll(injections: readonly BatchedInjection[], how?: HoldOptions): Promise<readonly InjectionState[]>
  /**
   * Returns who changed what in the process through its endpoint, and which changes were refused, oldest first: at most
   * 1,000 entries, and 100 of senders who could not prove that they may ask.
   */
  audit(): Promise<readonly AuditEntry[]>
  /**
   * Mints a scope with the key of the process, which never leaves it.
   *
   * @throws ChaosError `CHAOS_INVALID_OPTION` for an invalid option, `CHAOS_INVALID_REQUEST` if the controller there has no key
   */
  mintScope(options?: MintOptions): Promise<MintedScope>
  /** Calls the listener for each event that the app sends with `notify`. @returns Removes the listener. */
  onAppEvent(listener: (event: AppEvent) => void): () => void
  /**
   * The number of hits that the server left out of the stream because they came faster than they could be sent. The
   * counters of an injection are exact anyway.
   */
  readonly droppedHits: number
}
