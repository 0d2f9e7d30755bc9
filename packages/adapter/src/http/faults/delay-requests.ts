import { defineFault, delayOptions, delaysOf, type OptionsOf } from '@chaos/core/authoring'
import { requestSeam } from '../seam.js'
import { httpTarget } from '../target.js'
import { delayOperations } from '../../operations/delay.js'

const options = delayOptions('each affected request')

/** Options of {@link delayRequests}. */
export type DelayRequestsOptions = OptionsOf<typeof delayRequests>

/**
 * Delays requests before the service gets them.
 *
 * Models a service or gateway with a queue, or a server whose workers are all busy. Each request waits on its own. A
 * caller that gives up (a signal, a timeout, a closed connection) gets its error at once, and the service never gets
 * that request. A request that is held when the fault ends goes on then.
 *
 * An operation is a request; its name is `GET http://127.0.0.1:8080/items` at a client, `GET /items` at a server,
 * without the query.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a time does not fit a timer.
 */
export const delayRequests = defineFault({
  name: 'adapter/delay-requests',
  kind: 'standing',
  summary: 'Delays requests before the service gets them.',
  options,
  target: httpTarget,
  inject(target, options, context) {
    const delayOf = delaysOf(options, context)
    delayOperations(requestSeam, target, context, () => delayOf('delay'))
  },
})
