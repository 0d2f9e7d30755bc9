import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { orderOption, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const { seam: _always, ...scope } = scopeOptions
const options = {
  stallMs: option.optional(
    option.durationMs('Time each affected listener is stuck, in ms. Default: until the fault ends.'),
  ),
  order: orderOption,
  ...scope,
  ...scopeInProcess,
}

/** Options of {@link stallListeners}. */
export type StallListenersOptions = OptionsOf<typeof stallListeners>

/**
 * Keeps listeners from getting on: each is called, and does its work only when it is over.
 *
 * Models a consumer that hangs while the others go on: the bus, its publishers and the other listeners notice nothing. On a broker nothing is
 * acknowledged meanwhile, so that its lag grows. What waits when the fault ends is worked off then, in order.
 */
export const stallListeners = defineFault({
  name: 'eventbus/stall-listeners',
  kind: 'standing',
  summary: 'Keeps listeners from getting on until it is over.',
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
