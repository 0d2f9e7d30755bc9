import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { affectRequests, httpProxyTarget } from '../target.js'
import { heldFor } from './held-for.js'
import { gateAt, reachedOption } from './reached-option.js'

const NAME = 'proxy/hang-requests'

/** Options of {@link hangRequests}. */
export type HangRequestsOptions = OptionsOf<typeof hangRequests>

/**
 * Leaves requests without an answer, until the fault ends or the client gives up.
 *
 * Models a service in a deadlock, or one whose answers get lost. The client notices by its own timeout, if it has one. When
 * the fault ends, held requests and answers go on in order. A request that was given up before never reaches the service.
 *
 * An operation is a request; its name is `GET /items`, without the query.
 */
export const hangRequests = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Leaves requests without an answer, until the fault ends or the client gives up.',
  options: reachedOption,
  target: httpProxyTarget,
  inject(proxy, options, context) {
    const gate = heldFor(() => Number.POSITIVE_INFINITY)
    affectRequests(proxy, NAME, options, context, gateAt(options.reached, gate))
  },
})
