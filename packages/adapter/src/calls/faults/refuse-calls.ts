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
 * Models a dependency that is down: nothing is done, the caller hears an error, a fresh one each time. A refused call fails the way its method
 * does: a promise rejects and never throws where it is called, a function with `answers: 'value'` throws, an iteration or a stream breaks before its
 * first item. A call that passes gets the very answer that the target made. With a class as target, all of its instances are affected. An
 * operation is a call; its name is the method's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when more than one error is described; `CHAOS_TARGET_MISMATCH` when `methods` match nothing
 * @see Simmy's fault strategy, which throws a given exception from a callback's place.
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
