import type { Held, HeldOn, InjectionContext } from '../fault/fault.js'

/**
 * Finds where operations of a target pass, and hands each one that the blast radius chose to a fault. The others pass.
 *
 * @param act What becomes of a chosen operation. @returns What whoever asked for it gets
 */
export type Seam<Target, Op, Answer = unknown> = (
  target: Target,
  context: InjectionContext,
  act: (operation: Op) => Answer,
) => void

/** An operation on its way from the application to what it asks: a call, a command, a request, a connection. */
export interface SeamOperation {
  readonly name: string
  readonly args: readonly unknown[]
  /** The caller's own signal. */
  readonly signal?: AbortSignal | undefined
  /** What it is held on while a fault keeps it back. */
  readonly on?: HeldOn | undefined
  /** Lets it go on. @returns What whoever asked gets in health */
  readonly proceed: () => unknown
  /** Ends it with an error, in place of what it asks. @returns What whoever asked gets */
  readonly fail: (error: Error) => unknown
  /**
   * Answers it later. Absent where whoever asked waits in place.
   *
   * @param keep Holds back what is left of the operation
   * @returns What whoever asked gets meanwhile
   */
  readonly later?: ((keep: (rest: RestOfOperation) => Held) => unknown) | undefined
}

/** What is left of an operation that is answered later. One of these is called. */
export interface RestOfOperation {
  readonly proceed: () => void
  readonly fail: (error: Error) => void
  /** Called when the caller's own signal aborts. Default: it fails with the signal's reason. */
  readonly abandon?: ((reason: unknown) => void) | undefined
}
