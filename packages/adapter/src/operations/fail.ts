import type { InjectionContext, Seam, SeamOperation } from '@chaos/core/authoring'
import { keepBack } from './delay.js'

/**
 * Fails operations in place of what they ask.
 *
 * @param errorOf Makes the error of each: fresh, and marked
 * @param afterMs Time until it comes, in ms; 0 is a later turn. What is still held when the injection ends goes on. Default: at once, which is also
 *   what an operation gets that is answered in place
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
