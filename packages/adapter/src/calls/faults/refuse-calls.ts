import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { failOperations } from '../../operations/fail.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions } from '../call.js'
import { errorOf, errorOptions, errorOptionsInProcess, failureTiming } from '../error-options.js'

const NAME = 'adapter/refuse-calls'
const options = { ...callOptions, ...errorOptions, ...errorOptionsInProcess }

/** Options of {@link refuseCalls}. */
export type RefuseCallsOptions = OptionsOf<typeof refuseCalls>

/**
 * Refuses calls before they reach the service.
 *
 * Models a dependency that is down: the service does nothing, and each caller gets an error of its own. A refused call
 * fails in the way of its method: a promise rejects, a function with `answers: 'value'` throws, and an iteration or a
 * stream breaks before its first item. A call that passes gets the answer of the target, unchanged. If the target is a
 * class, all of its instances are affected. An operation is a call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if more than one error is described; `CHAOS_TARGET_MISMATCH` if `methods`
 *   match nothing.
 * @see Simmy's fault strategy, which throws a given exception in place of a call.
 */
export const refuseCalls = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Refuses calls before they reach the service.',
  options,
  check: (options) => void errorOf(NAME, options, 'fail-fast'),
  target: methodTarget,
  inject(target, options, context) {
    const calls = callSeam(options, { timing: failureTiming(options, 'fail-fast') })
    failOperations(calls, target, context, errorOf(NAME, options, 'fail-fast'))
  },
})
