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
 * Models a frozen service, or a network that swallows packets: no error, no answer. A call hangs until the fault ends, then it goes on as in health; or
 * until the caller's own signal (an argument, or `signal` in an options object) aborts: it rejects with the signal's reason at once, and a request that was
 * given up never reaches the service. A timeout of the caller's own works as on the real thing. An operation is a call; its name is the method's.
 *
 * @throws ChaosError `CHAOS_TARGET_MISMATCH` when `methods` match nothing, or answer in a way that cannot wait
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
