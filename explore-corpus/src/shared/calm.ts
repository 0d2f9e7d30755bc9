import { openScope, runInScope } from '@chaos/core/authoring'

/**
 * Does work after the outage: on behalf of nobody, so that no fault of the test affects it. What must be true in the end is
 * asserted after it.
 */
export function calm<Result>(work: () => Promise<Result>): Promise<Result> {
  return runInScope(openScope('after the outage', { parent: undefined, numbered: false }), work)
}
