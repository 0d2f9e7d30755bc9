import type { Held, HeldOn, InjectionContext, RestOfOperation, Seam, SeamOperation } from '@chaos/core/authoring'

/** The longest block of a synchronous operation, in ms. Nothing can end a block early. */
const MAX_BLOCK_MS = 5_000

/** The parts of a deferrable operation that a hold needs. */
interface Deferrable<Left extends RestOfOperation> {
  readonly signal?: AbortSignal | undefined
  readonly on?: HeldOn | undefined
  readonly later?: ((keep: (rest: Left) => Held) => unknown) | undefined
}

/**
 * Holds an operation until its time is up, until the injection ends, or until the caller's signal aborts. If the
 * resource of the operation is gone by then, the operation counts as lost and goes on, to fail as the driver does.
 *
 * @param timeUp Ends the hold when the time is up. Default: the operation goes on. It always goes on when the injection
 *   ends.
 */
export function keepBack<Left extends RestOfOperation>(
  { later, signal, on }: Deferrable<Left>,
  context: InjectionContext,
  afterMs: number,
  timeUp: (rest: Left) => void = ({ proceed }) => proceed(),
): unknown {
  return later?.((rest) => {
    const { proceed, fail, abandon = (reason) => fail(reason as Error) } = rest
    return context.hold({
      afterMs,
      run: () => (context.signal.aborted ? proceed() : timeUp(rest)),
      on,
      // The operation itself says that its resource is gone.
      lose: proceed,
      abandon,
      signal,
    })
  })
}

/**
 * Delays operations. A synchronous operation blocks its thread instead, for at most 5 s and never beyond the lease.
 *
 * @param delayMsOf Returns the delay of an operation, in ms.
 */
export function delayOperations<Target, Op extends SeamOperation>(
  seam: Seam<Target, Op>,
  target: Target,
  context: InjectionContext,
  delayMsOf: (operation: Op) => number,
): void {
  seam(target, context, (operation) => {
    const delayMs = delayMsOf(operation)
    if (operation.later !== undefined) return keepBack(operation, context, delayMs)
    block(Math.min(delayMs, MAX_BLOCK_MS, context.leaseLeftMs()))
    return operation.proceed()
  })
}

/**
 * Longer than any injection. Unlike an infinite hold, such a hold has a timer, which keeps the process alive: a request that
 * waits for the system or for a peer does so too.
 */
const FOREVER_MS = Number.MAX_SAFE_INTEGER

/** Leaves operations without an answer until the injection ends or the caller's signal aborts. */
export function hangOperations<Target, Op extends SeamOperation>(
  seam: Seam<Target, Op>,
  target: Target,
  context: InjectionContext,
): void {
  seam(target, context, (operation) => keepBack(operation, context, FOREVER_MS))
}

/** Blocks the thread, as a slow system call does. */
function block(ms: number): void {
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms)
}
