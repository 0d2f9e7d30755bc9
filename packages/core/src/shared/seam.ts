import type { Held, HeldOn, InjectionContext } from '../fault/fault.js'

/**
 * Intercepts the operations of a target. Passes each one that the blast radius chooses to the fault; the others proceed.
 *
 * @param act The fault's action on a chosen operation. It returns the answer for the caller.
 */
export type Seam<Target, Op, Answer = unknown> = (
  target: Target,
  context: InjectionContext,
  act: (operation: Op) => Answer,
) => void

/** An operation between the application and its target: a call, a command, a request, a connection. */
export interface SeamOperation {
  readonly name: string
  readonly args: readonly unknown[]
  /** The caller's own signal. */
  readonly signal?: AbortSignal | undefined
  /** The resource that the operation is held on while a fault holds it back. */
  readonly on?: HeldOn | undefined
  /** Runs the operation. @returns The normal answer for the caller. */
  readonly proceed: () => unknown
  /** Fails the operation without running it. @returns The answer for the caller. */
  readonly fail: (error: Error) => unknown
  /**
   * Answers the operation later. `undefined` if the caller waits synchronously.
   *
   * @param keep Holds the rest of the operation back.
   * @returns The answer for the caller until then, such as a pending promise.
   */
  readonly later?: ((keep: (rest: RestOfOperation) => Held) => unknown) | undefined
}

/** The rest of an operation that is answered later. One of its functions is called. */
export interface RestOfOperation {
  readonly proceed: () => void
  readonly fail: (error: Error) => void
  /** Called when the caller's own signal aborts. Default: the operation fails with the signal's reason. */
  readonly abandon?: ((reason: unknown) => void) | undefined
}
