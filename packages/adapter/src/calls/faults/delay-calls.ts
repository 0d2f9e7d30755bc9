import { defineFault, delayOptions, delaysOf, option, type OptionsOf } from '@chaos/core/authoring'
import { methodTarget } from '../methods.js'
import { callOptions } from '../call.js'
import { delayOperations } from '../../operations/delay.js'
import { callsAt, seamOption } from '../at-seam.js'

const options = {
  ...delayOptions('each affected call'),
  warmUpMs: option.optional(
    option.durationMs('A cold start: delays shrink from full to none in so many ms. Default: 0, they stay.'),
    0,
  ),
  ...callOptions,
  seam: seamOption,
}

/** Options of {@link delayCalls}. */
export type DelayCallsOptions = OptionsOf<typeof delayCalls>

/**
 * Makes calls slow.
 *
 * Models a loaded service or a long way to it. Each call waits for itself; calls overtake each other where delays differ. A delay is never shorter than
 * drawn. What is still held when the fault ends goes on then. The caller's own signal ends the wait at once, with its reason, and a request that was given up
 * never reaches the service. Equal seeds draw equal delays, method by method. An operation is a call; its name is the method's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when a time does not fit a timer; `CHAOS_TARGET_MISMATCH` when `methods` match nothing, or answer in a
 *   way that cannot wait
 * @see Toxiproxy's `latency` toxic (delay ± jitter) and tc-netem's `delay` with its distributions.
 */
export const delayCalls = defineFault({
  name: 'adapter/delay-calls',
  kind: 'standing',
  summary: 'Makes calls slow.',
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
