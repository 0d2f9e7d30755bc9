import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { methodTarget } from '../methods.js'
import { callSeam } from '../seam.js'
import { callOptions, type Call } from '../call.js'
import { attempt } from '../answers.js'

const options = {
  methods: option.names('The methods that write: names or globs.'),
  answers: callOptions.answers,
  copies: option.optional(option.count('How often each write is done again. Default: 1.', 1, 1_000), 1),
  afterMs: option.optional(
    option.durationMs('How long after the write its copies come, in ms. Default: 0, right behind it.'),
    0,
  ),
}

/** Options of {@link duplicateWrites}. */
export type DuplicateWritesOptions = OptionsOf<typeof duplicateWrites>

/**
 * Does writes more than once.
 *
 * Models retries beneath the caller: a driver, proxy or queue that sends a request again whose reply it missed. The caller gets the answer of the first;
 * what becomes of the copies nobody hears. With `afterMs` a copy comes behind newer writes and undoes them, as a late retransmission does. Copies that
 * are still to come when the fault ends are sent then; where the client was closed meanwhile they are lost. An operation is a call; its name is the method's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION`; `CHAOS_TARGET_MISMATCH` when `methods` match nothing, or answer with more than one value
 */
export const duplicateWrites = defineFault({
  name: 'adapter/duplicate-writes',
  kind: 'standing',
  summary: 'Does writes more than once.',
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
