import type { Held, InjectionContext, RestOfOperation, Seam, SeamOperation } from '@chaos/core/authoring'

/** How long an operation that is answered in place may hold its thread, in ms: nothing can end it earlier. */
const MAX_BLOCK_MS = 5_000

/** What of an operation that can be answered later matters here. */
interface Deferrable<Left extends RestOfOperation> {
  readonly signal?: AbortSignal | undefined
  readonly later?: ((keep: (rest: Left) => Held) => unknown) | undefined
}

/**
 * Holds an operation back: until its time is up, until the injection ends, or until the caller's own signal aborts.
 *
 * @param timeUp What becomes of it when its time is up. Default, and always when the injection ends: it goes on
 */
export function keepBack<Left extends RestOfOperation>(
  { later, signal }: Deferrable<Left>,
  context: InjectionContext,
  afterMs: number,
  timeUp: (rest: Left) => void = ({ proceed }) => proceed(),
): unknown {
  return later?.((rest) => {
    const { proceed, fail, abandon = (reason) => fail(reason as Error) } = rest
    return context.hold({ afterMs, run: () => (context.signal.aborted ? proceed() : timeUp(rest)), abandon, signal })
  })
}

/** Makes operations slow. One that is answered in place holds its thread meanwhile, for at most 5 s. @param delayMsOf Asked for each */
export function delayOperations<Target, Op extends SeamOperation>(
  seam: Seam<Target, Op>,
  target: Target,
  context: InjectionContext,
  delayMsOf: (operation: Op) => number,
): void {
  seam(target, context, (operation) => {
    const delayMs = delayMsOf(operation)
    if (operation.later !== undefined) return keepBack(operation, context, delayMs)
    block(Math.min(delayMs, MAX_BLOCK_MS))
    return operation.proceed()
  })
}

/** Leaves operations without an answer, until the injection ends or the caller gives up. */
export function hangOperations<Target, Op extends SeamOperation>(
  seam: Seam<Target, Op>,
  target: Target,
  context: InjectionContext,
): void {
  seam(target, context, (operation) => keepBack(operation, context, Number.POSITIVE_INFINITY))
}

/** Holds the thread, as the system does that has not answered yet. */
function block(ms: number): void {
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, ms)
}
