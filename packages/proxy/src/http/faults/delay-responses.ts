import { defineFault, delayOptions, delaysOf, type OptionsOf } from '@chaos/core/authoring'
import { affectRequests, httpProxyTarget } from '../target.js'
import { heldFor } from './held-for.js'

const NAME = 'proxy/delay-responses'

/** Options of {@link delayResponses}. */
export type DelayResponsesOptions = OptionsOf<typeof delayResponses>

/**
 * Delays answers after the service has handled the request.
 *
 * Models a slow way back. The head is held, and the body behind it; the service has handled the request, also if the client
 * gives up meanwhile. What waits when the fault ends goes on then, in order.
 *
 * An operation is a request; its name is `GET /items`, without the query.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if a duration does not fit a timer.
 */
export const delayResponses = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Delays answers after the service has handled the request.',
  options: delayOptions('the head of each affected answer'),
  target: httpProxyTarget,
  inject(proxy, options, context) {
    const delayOf = delaysOf(options, context)
    affectRequests(proxy, NAME, options, context, { onAnswer: heldFor(() => delayOf('delay')) })
  },
})
