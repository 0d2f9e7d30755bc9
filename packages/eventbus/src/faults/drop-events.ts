import { defineFault, type OptionsOf } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { checkScope, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const options = { ...scopeOptions, ...scopeInProcess }

/** Options of {@link dropEvents}. */
export type DropEventsOptions = OptionsOf<typeof dropEvents>

/**
 * Drops events between the bus and its listeners.
 *
 * Models at-most-once delivery: the publisher sees success, and the event never arrives. Lost events stay lost when
 * the fault ends. `injection.account.dropped` counts them.
 */
export const dropEvents = defineFault({
  name: 'eventbus/drop-events',
  kind: 'standing',
  summary: 'Drops events between the bus and its listeners.',
  options,
  target: busTarget,
  check: checkScope,
  inject(bus: BusTarget, options, context) {
    directTraffic(bus, options, context, (message, traffic) => traffic.drop(message))
  },
})
