import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions } from '../call.js'
import { copyOf } from '../../operations/copy-of.js'

const options = {
  methods: option.names('The methods that write: names or globs.'),
  answers: callOptions.answers,
  answer: option.optional(
    option.value('What the caller gets instead: the acknowledgement of the real service. Default: undefined.'),
  ),
}

/** Options of {@link loseWrites}. */
export type LoseWritesOptions = OptionsOf<typeof loseWrites>

/**
 * Acknowledges writes and forgets them.
 *
 * Models a store that answers before it is safe: an asynchronous replica that is promoted, a disk that lies about its cache, a cache taken for
 * a store. The write never reaches the service, and the caller hears that it did. An operation is a call; its name is the method's.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when `methods` match nothing, or answer with more than one value
 * @see Jepsen's lost updates.
 */
export const loseWrites = defineFault({
  name: 'adapter/lose-writes',
  kind: 'standing',
  summary: 'Acknowledges writes and forgets them.',
  options,
  target: methodTarget,
  inject(target, { answer, ...options }, context) {
    callSeam(options, { needs: 'one' })(target, context, ({ answers }) => answers.one?.(copyOf(answer)))
  },
})
