import { defineFault, delayOptions, delaysOf, type OptionsOf } from '@chaos/core/authoring'
import { affectRequests, httpProxyTarget } from '../target.js'
import { heldFor } from './held-for.js'

const NAME = 'proxy/delay-requests'

/** Options of {@link delayRequests}. */
export type DelayRequestsOptions = OptionsOf<typeof delayRequests>

/**
 * Delays requests before the service gets them.
 *
 * Models a gateway with a queue, or a service whose workers are all busy. Each request waits on its own. A request that its
 * client gives up while it waits never reaches the service. What waits when the fault ends goes on then, in order.
 *
 * An operation is a request; its name is `GET /items`, without the query.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a duration does not fit a timer.
 */
export const delayRequests = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Delays requests before the service gets them.',
  options: delayOptions('each affected request'),
  target: httpProxyTarget,
  inject(proxy, options, context) {
    const delayOf = delaysOf(options, context)
    affectRequests(proxy, NAME, options, context, { onRequest: heldFor(() => delayOf('delay')) })
  },
})
