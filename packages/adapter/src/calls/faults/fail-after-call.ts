import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { answerChanges } from '../answer.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions } from '../call.js'
import { errorOf, errorOptions, errorOptionsInProcess } from '../error-options.js'

const NAME = 'adapter/fail-after-call'
const options = { ...callOptions, ...errorOptions, ...errorOptionsInProcess }

/** Options of {@link failAfterCall}. */
export type FailAfterCallOptions = OptionsOf<typeof failAfterCall>

/**
 * Lets the service handle calls, then fails them.
 *
 * Models a lost reply: the connection breaks after the service has done its work, and the caller cannot know whether it
 * was done. A caller that tries again does the work twice, unless the work is idempotent. An iteration or a stream
 * delivers all of its items and breaks at the end. A call that the service itself fails keeps its own error and counts as
 * passed. An operation is a call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if more than one error is described; `CHAOS_TARGET_MISMATCH` if `methods`
 *   match nothing.
 * @see Jepsen's `:info` results: operations with an unknown outcome.
 */
export const failAfterCall = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Lets the service handle calls, then fails them.',
  options,
  check: (options) => void errorOf(NAME, options, 'ECONNRESET'),
  target: methodTarget,
  inject(target, options, context) {
    const errorFor = errorOf(NAME, options, 'ECONNRESET')
    const changes = answerChanges(context)
    callSeam(options, { countsEffects: true })(target, context, (call) =>
      call.answers.through(
        call.proceed(),
        {
          end() {
            if (call.lands()) throw errorFor(call)
          },
        },
        changes,
      ),
    )
  },
})
