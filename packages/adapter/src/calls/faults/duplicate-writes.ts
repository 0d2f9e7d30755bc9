import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions, type Call } from '../call.js'
import { attempt } from '../answer.js'

const options = {
  methods: option.names('Methods that write: names or globs.'),
  answers: callOptions.answers,
  copies: option.optional(option.count('Number of times that each write is repeated.', 1, 1_000), 1),
  afterMs: option.optional(
    option.durationMs('Time from the write to its copies, in ms. 0 means right after the write.'),
    0,
  ),
}

/** Options of {@link duplicateWrites}. */
export type DuplicateWritesOptions = OptionsOf<typeof duplicateWrites>

/**
 * Repeats writes.
 *
 * Models retries beneath the caller: a driver, proxy or queue that sends a request again because the reply was lost.
 * The caller gets the answer of the first write. The answers and errors of the copies are discarded. With `afterMs` a
 * copy comes after newer writes and overwrites them, as a late retransmission does. Copies that are still due when the
 * fault ends are sent then, or lost if the client is closed. An operation is a call; its name is the name of the
 * method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `copies` or `afterMs` is out of range; `CHAOS_TARGET_MISMATCH` if
 *   `methods` match nothing or answer with more than one value.
 */
export const duplicateWrites = defineFault({
  name: 'adapter/duplicate-writes',
  kind: 'standing',
  summary: 'Repeats writes.',
  options,
  target: methodTarget,
  inject(target, { copies, afterMs, ...options }, context) {
    const sendCopies = ({ proceed }: Call): void => {
      for (let copy = 0; copy < copies; copy += 1) attempt(proceed).catch(() => undefined)
    }
    callSeam(options, { needs: 'one' })(target, context, (call) => {
      const answer = call.proceed()
      if (afterMs === 0) sendCopies(call)
      else context.hold({ afterMs, on: call.on, run: () => sendCopies(call) })
      return answer
    })
  },
})
