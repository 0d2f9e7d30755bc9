import type { InjectionContext, Seam, SeamOperation } from '@chaos/core/authoring'
import { keepBack } from './delay.js'

/**
 * Fails operations before they reach their service.
 *
 * @param errorOf Makes a new, marked error for an operation.
 * @param afterMs Time until the error, in ms; 0 is a later turn of the event loop. An operation that is still held when
 *   the injection ends goes on. Default: at once, as always for a synchronous operation.
 */
export function failOperations<Target, Op extends SeamOperation>(
  seam: Seam<Target, Op>,
  target: Target,
  context: InjectionContext,
  errorOf: (operation: Op) => Error,
  afterMs?: number,
): void {
  seam(target, context, (operation) =>
    afterMs === undefined || operation.later === undefined
      ? operation.fail(errorOf(operation))
      : keepBack(operation, context, afterMs, ({ fail }) => fail(errorOf(operation))),
  )
}
