import { defineFault, delayOptions, delaysOf, option, type OptionsOf } from '@chaos/core/authoring'
import { methodTarget } from '../methods.js'
import { callOptions } from '../call.js'
import { delayOperations } from '../../operations/delay.js'
import { callsAt, seamOption } from '../at-seam.js'

const options = {
  ...delayOptions('each affected call'),
  warmUpMs: option.optional(
    option.durationMs('Cold start: time in which delays shrink to none, in ms. 0 keeps them constant.'),
    0,
  ),
  ...callOptions,
  seam: seamOption,
}

/** Options of {@link delayCalls}. */
export type DelayCallsOptions = OptionsOf<typeof delayCalls>

/**
 * Delays calls.
 *
 * Models a service under load, a distant service, or a cold start. Each call waits on its own; calls overtake each
 * other if their delays differ. A delay is never shorter than the one drawn. A call that is held when the fault ends
 * goes on then. If the caller's `AbortSignal` aborts, the wait ends at once with the reason of the signal, and a call
 * that is still at `request` never reaches the service. An iteration or a stream is made at once, and its first read and
 * write wait. Equal seeds draw equal delays for each method. An operation is
 * a call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a time does not fit a timer; `CHAOS_TARGET_MISMATCH` if `methods` match
 *   nothing or answer in a way that cannot wait.
 * @see Toxiproxy's `latency` toxic (delay ± jitter) and tc-netem's `delay` with its distributions.
 */
export const delayCalls = defineFault({
  name: 'adapter/delay-calls',
  kind: 'standing',
  summary: 'Delays calls.',
  options,
  target: methodTarget,
  inject(target, { seam, warmUpMs, delayMs, jitterMs, distribution, ...options }, context) {
    const { clock } = context
    const begunAt = clock.now()
    const coldness = (): number => (warmUpMs === 0 ? 1 : Math.max(0, 1 - (clock.now() - begunAt) / warmUpMs))
    const delayOf = delaysOf({ delayMs, jitterMs, distribution }, context)
    const calls = callsAt(seam, options, 'answer')
    delayOperations(calls, target, context, ({ name }) => delayOf(name) * coldness())
  },
})
