import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { affectRequests, httpProxyTarget } from '../target.js'
import { gateAt, reachedOption } from './reached-option.js'
import { orAfter } from './or-after.js'

const NAME = 'proxy/abort-requests'
const options = {
  how: option.optional(
    option.oneOf(['reset', 'close'], 'reset: the connection is reset (RST); close: it ends in order (FIN).'),
    'reset',
  ),
  afterMs: option.optional(option.durationMs('Time until the connection ends, in ms.'), 0),
  ...reachedOption,
}

/** Options of {@link abortRequests}. */
export type AbortRequestsOptions = OptionsOf<typeof abortRequests>

/**
 * Ends the connection of requests instead of answering them.
 *
 * Models a service that crashes: before it has handled the request, or with `reached: 'upstream'` after that, when a client
 * cannot know whether its request was done. Other requests on the connection, which HTTP/1.1 sends one after the other,
 * are lost with it.
 *
 * An operation is a request; its name is `GET /items`, without the query.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` if `afterMs` does not fit a timer.
 */
export const abortRequests = defineFault({
  name: NAME,
  kind: 'standing',
  summary: 'Resets or closes the connection of requests, before or after the service has handled them.',
  options,
  target: httpProxyTarget,
  inject(proxy, given, context) {
    const { how, afterMs, reached } = given
    const gate = orAfter(afterMs, ({ abort }) => abort(how))
    affectRequests(proxy, NAME, given, context, gateAt(reached, gate))
  },
})
