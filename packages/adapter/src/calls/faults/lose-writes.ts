import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions } from '../call.js'
import { copyOf } from '../../operations/copy-of.js'

const options = {
  methods: option.names('Methods that write: names or globs.'),
  answers: callOptions.answers,
  answer: option.optional(
    option.value('Answer to the caller, such as the acknowledgement of the real service. Default: undefined.'),
  ),
}

/** Options of {@link loseWrites}. */
export type LoseWritesOptions = OptionsOf<typeof loseWrites>

/**
 * Acknowledges writes without making them.
 *
 * Models a store that acknowledges a write before it is safe: a promoted asynchronous replica, a disk with a volatile
 * cache, or a cache used as a store. The write never reaches the service, and the caller gets the acknowledgement. An
 * operation is a call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `methods` match nothing or answer with more than one value.
 * @see Jepsen's lost updates.
 */
export const loseWrites = defineFault({
  name: 'adapter/lose-writes',
  kind: 'standing',
  summary: 'Acknowledges writes without making them.',
  options,
  target: methodTarget,
  inject(target, { answer, ...options }, context) {
    callSeam(options, { needs: 'one' })(target, context, ({ answers }) => answers.one?.(copyOf(answer)))
  },
})
