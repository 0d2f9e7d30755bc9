import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { failOperations } from '../../operations/fail.js'
import { methodTarget } from '../methods.js'
import { callOptions } from '../call.js'
import { errorOf, errorOptions, errorOptionsInProcess } from '../error-options.js'
import { callsAt, seamOption } from '../at-seam.js'

const NAME = 'adapter/time-out-calls'
const options = {
  timeoutMs: option.durationMs('Time from the call to its error, in ms.'),
  ...callOptions,
  seam: seamOption,
  ...errorOptions,
  ...errorOptionsInProcess,
}

/** Options of {@link timeOutCalls}. */
export type TimeOutCallsOptions = OptionsOf<typeof timeOutCalls>

/**
 * Leaves calls hanging, then fails them as the driver's own timeout does.
 *
 * Models a service that does not answer and a driver that gives up. The error comes late, which fills queues and pools.
 * A call that hangs when the fault ends goes on then. If the caller's `AbortSignal` aborts, the wait ends at once with
 * the reason of the signal. An operation is a call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `timeoutMs` does not fit a timer or more than one error is described;
 *   `CHAOS_TARGET_MISMATCH` if `methods` match nothing or answer in a way that cannot wait.
 * @see Toxiproxy's `timeout` toxic.
 */
export const timeOutCalls = defineFault({
  name: NAME,
  kind: 'standing',
  summary: "Leaves calls hanging, then fails them as the driver's own timeout does.",
  options,
  check: (options) => void errorOf(NAME, options, 'ETIMEDOUT'),
  target: methodTarget,
  inject(target, { seam, timeoutMs, ...options }, context) {
    const calls = callsAt(seam, options, 'call')
    failOperations(calls, target, context, errorOf(NAME, options, 'ETIMEDOUT'), timeoutMs)
  },
})
