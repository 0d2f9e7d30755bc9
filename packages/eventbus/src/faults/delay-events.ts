import { defineFault, delayOptions, delaysOf, type OptionsOf } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { checkScope, orderOption, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const options = {
  ...delayOptions('each affected event'),
  order: orderOption,
  ...scopeOptions,
  ...scopeInProcess,
}

/** Options of {@link delayEvents}. */
export type DelayEventsOptions = OptionsOf<typeof delayEvents>

/**
 * Holds events back between the bus and its listeners.
 *
 * Models a broker under load: `emit` returns at once with what it returns in health, and delivery comes late. With `order: 'keep'` an
 * event that was not chosen waits behind held ones of its name. What is still held when the fault ends is delivered then, in order.
 * `error` without listeners, `newListener` and `removeListener` pass straight through. An operation is an event; its name is the event's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `delayMs` does not fit a timer.
 * @see Toxiproxy's `latency` toxic, which also releases held data when it is removed, and tc-netem, whose delay ± jitter this follows.
 */
export const delayEvents = defineFault({
  name: 'eventbus/delay-events',
  kind: 'standing',
  summary: 'Holds events back between the bus and its listeners.',
  options,
  target: busTarget,
  check: checkScope,
  inject(bus: BusTarget, options, context) {
    const delayOf = delaysOf(options, context)
    directTraffic(bus, options, context, (message, traffic) => traffic.hold(message, delayOf(message.name)).answer)
  },
})
