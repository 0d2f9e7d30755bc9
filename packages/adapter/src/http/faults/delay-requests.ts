import { defineFault, delayOptions, delaysOf, type OptionsOf } from '@chaos/core/authoring'
import { requestSeam } from '../seam.js'
import { httpTarget } from '../target.js'
import { delayOperations } from '../../operations/delay.js'

const options = delayOptions('each affected request')

/** Options of {@link delayRequests}. */
export type DelayRequestsOptions = OptionsOf<typeof delayRequests>

/**
 * Holds requests back before the service gets them.
 *
 * Models a service or gateway with a queue of requests, or a server whose workers are all busy. Each request waits for itself. Whoever gives up meanwhile
 * (a signal, a timeout, a closed connection) hears it at once, and the service never gets that request. What is still held when the fault ends goes on then. An
 * operation is a request; its name is `GET http://127.0.0.1:8080/items` at a client, `GET /items` at a server, without the query.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when a time does not fit a timer
 */
export const delayRequests = defineFault({
  name: 'adapter/delay-requests',
  kind: 'standing',
  summary: 'Holds requests back before the service gets them.',
  options,
  target: httpTarget,
  inject(target, options, context) {
    const delayOf = delaysOf(options, context)
    delayOperations(requestSeam, target, context, () => delayOf('delay'))
  },
})
