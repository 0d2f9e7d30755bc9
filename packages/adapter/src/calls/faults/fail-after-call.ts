import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { covering } from '../../operations/covering.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions } from '../call.js'
import { errorOf, errorOptions, errorOptionsInProcess } from '../error-options.js'

const NAME = 'adapter/fail-after-call'
const options = { ...callOptions, ...errorOptions, ...errorOptionsInProcess }

/** Options of {@link failAfterCall}. */
export type FailAfterCallOptions = OptionsOf<typeof failAfterCall>

/**
 * Lets the service do what it was asked for, then fails the call.
 *
 * Models the lost reply: the connection breaks after the service has done its work, and the caller cannot know. What it does next, trying again for
 * example, does the work twice unless it is idempotent. An iteration or a stream gives all of its items and breaks where it would have ended. A call
 * that the service itself fails keeps its own error. An operation is a call; its name is the method's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when more than one error is described; `CHAOS_TARGET_MISMATCH` when `methods` match nothing
 * @see Jepsen's `:info` results: operations whose outcome nobody knows.
 */
export const failAfterCall = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Lets the service do what it was asked for, then fails the call.',
  options,
  check: (options) => void errorOf(NAME, options, 'ECONNRESET'),
  target: methodTarget,
  inject(target, options, context) {
    const errorFor = errorOf(NAME, options, 'ECONNRESET')
    const layOver = covering(context)
    callSeam(options)(target, context, (call) =>
      call.answers.through(
        call.proceed(),
        {
          end() {
            throw errorFor(call)
          },
        },
        layOver,
      ),
    )
  },
})
