import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { answerChanges } from '../answer.js'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions } from '../call.js'
import { errorOf, errorOptions, errorOptionsInProcess } from '../error-options.js'

const NAME = 'adapter/cut-results'
const options = {
  afterItems: option.optional(option.count('Items or chunks before the break.'), 1),
  ...callOptions,
  ...errorOptions,
  ...errorOptionsInProcess,
}

/** Options of {@link cutResults}. */
export type CutResultsOptions = OptionsOf<typeof cutResults>

/**
 * Breaks iterations and streams in the middle.
 *
 * Models a cursor whose server dies, a listing that fails on its second page, or a download that is cut: some items
 * come, then the error. A result of at most `afterItems` items comes complete. The service does what it was asked. An
 * operation is a call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if more than one error is described; `CHAOS_TARGET_MISMATCH` if `methods`
 *   match nothing or answer with one value.
 */
export const cutResults = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Breaks iterations and streams in the middle.',
  options,
  check: (options) => void errorOf(NAME, options, 'ECONNRESET'),
  target: methodTarget,
  inject(target, { afterItems, ...options }, context) {
    const errorFor = errorOf(NAME, options, 'ECONNRESET')
    const changes = answerChanges(context)
    callSeam(options, { needs: 'many' })(target, context, (call) => {
      let came = 0
      return call.answers.through(
        call.proceed(),
        {
          item(value) {
            if (came === afterItems) throw errorFor(call)
            came += 1
            return value
          },
        },
        changes,
      )
    })
  },
})
