import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { hangOperations } from '../../operations/delay.js'
import { methodTarget } from '../methods.js'
import { callOptions } from '../call.js'
import { callsAt, seamOption } from '../at-seam.js'

const options = { ...callOptions, seam: seamOption }

/** Options of {@link hangCalls}. */
export type HangCallsOptions = OptionsOf<typeof hangCalls>

/**
 * Leaves calls without an answer.
 *
 * Models a frozen service, or a network that drops packets: neither an error nor an answer. A call hangs until the
 * fault ends and then goes on. If the caller's `AbortSignal` (an argument, or `signal` in an options object) aborts,
 * the call rejects at once with the reason of the signal, and a call that is still at `request` never reaches the
 * service. An iteration or a stream is made at once, and its first read and write wait. The caller's own timeouts work as
 * usual. An operation is a call; its name is the name of the method.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` if `methods` match nothing or answer in a way that cannot wait.
 * @see Toxiproxy's `timeout` toxic with a timeout of 0.
 */
export const hangCalls = defineFault({
  name: 'adapter/hang-calls',
  kind: 'standing',
  summary: 'Leaves calls without an answer, until the fault ends or the caller gives up.',
  options,
  target: methodTarget,
  inject: (target, { seam, ...options }, context) => hangOperations(callsAt(seam, options, 'call'), target, context),
})
