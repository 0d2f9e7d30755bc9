import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { affectRequests } from '../seam.js'
import { HTTP_TARGET, isHttpTarget, type HttpTarget } from '../target.js'
import { delays, distributions } from '../../operations/delays.js'

const options = {
  delayMs: option.durationMs('Time each affected request is held back, in ms.'),
  jitterMs: option.optional(option.durationMs('How far delays spread, in ms. Default: 0.'), 0),
  distribution: option.optional(
    option.oneOf(
      distributions,
      'uniform: delayMs ± jitterMs; normal: mean delayMs, standard deviation jitterMs; exponential: delayMs plus a tail of mean jitterMs. Default: uniform.',
    ),
    'uniform',
  ),
}

/**
 * Options of {@link delayRequests}: `delayMs`, the time each affected request is held back, in ms; `jitterMs` (default 0) and `distribution` (`uniform` by
 * default, `normal`, `exponential`), how delays spread.
 */
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
  target: { expects: HTTP_TARGET, accepts: isHttpTarget },
  inject(target: HttpTarget, options, context) {
    const draw = delays(options, context.rolls('delay'))
    affectRequests(target, context, ({ proceed }) => context.hold({ afterMs: draw(), run: proceed }))
  },
})
