import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { orderOption, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const { seam: _always, ...scope } = scopeOptions
const options = {
  stallMs: option.optional(
    option.durationMs('How long each affected listener stalls, in ms. Default: until the fault ends.'),
  ),
  order: orderOption,
  ...scope,
  ...scopeInProcess,
}

/** Options of {@link stallListeners}. */
export type StallListenersOptions = OptionsOf<typeof stallListeners>

/**
 * Stalls listeners: each affected listener starts its work only after `stallMs`, or when the fault ends.
 *
 * Models a consumer that hangs while the others go on: the bus, its publishers and the other listeners notice nothing. On
 * a broker, a stalled consumer acknowledges nothing, so its lag grows. Events that wait when the fault ends are handled
 * then, in order.
 */
export const stallListeners = defineFault({
  name: 'eventbus/stall-listeners',
  kind: 'standing',
  summary: 'Stalls listeners.',
  options,
  target: busTarget,
  inject(bus: BusTarget, options, context) {
    const { stallMs = Number.POSITIVE_INFINITY } = options
    directTraffic(
      bus,
      { ...options, seam: 'delivery', eachListener: true },
      context,
      (message, traffic) => traffic.hold(message, stallMs).answer,
    )
  },
})
