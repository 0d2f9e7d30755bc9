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
 * Delays events between the bus and its listeners.
 *
 * Models a broker under load: `emit` returns its usual value at once, and delivery comes late. With `order: 'keep'`
 * (the default), an event that is not affected waits behind held events of its name. Events that are held when the fault
 * ends are delivered then, in order. `error` without listeners, `newListener` and `removeListener` are never affected.
 * An operation is an event; its name is the name of the event.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `delayMs` is too long for a Node.js timer.
 * @see Toxiproxy's `latency` toxic, which also releases held data when it is removed, and tc-netem, whose delay ± jitter this follows.
 */
export const delayEvents = defineFault({
  name: 'eventbus/delay-events',
  kind: 'standing',
  summary: 'Delays events between the bus and its listeners.',
  options,
  target: busTarget,
  check: checkScope,
  inject(bus: BusTarget, options, context) {
    const delayOf = delaysOf(options, context)
    directTraffic(bus, options, context, (message, traffic) => traffic.hold(message, delayOf(message.name)).answer)
  },
})
