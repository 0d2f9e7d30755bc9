import { defineFault, option, optionsSchema, type OptionsOf } from '@chaos/core'
import { busTarget, type BusTarget } from '../bindings/in-process.js'
import { checkScope, orderOption, scopeInProcess, scopeOptions } from '../scope.js'
import { tapBus } from '../tap-bus.js'

const schema = optionsSchema(
  {
    delayMs: option.durationMs('Time each affected event is held back, in ms.'),
    order: orderOption,
    ...scopeOptions,
  },
  scopeInProcess,
)

/**
 * Options of {@link delayEvents}: `delayMs`, the time each affected event is held back, in ms; `order`, `keep` (default) or `free`;
 * `seam`, `delivery` (default) or `publish`.
 */
export type DelayEventsOptions = OptionsOf<typeof delayEvents>

/**
 * Holds events back between the bus and its listeners.
 *
 * Models a broker under load: `emit` returns at once with what it returns in health, and delivery comes late. With `order: 'keep'` an
 * event that was not chosen waits behind held ones of its name. What is still held when the fault ends is delivered then, in order.
 * `error` without listeners, `newListener` and `removeListener` pass straight through. An operation is an event; its name is the event's.
 *
 * @throws ChaosError `CHAOS_INVALID_OPTION` when `delayMs` does not fit a timer.
 * @see Toxiproxy's `latency` toxic, which also releases held data when it is removed.
 */
export const delayEvents = defineFault({
  name: 'eventbus/delay-events',
  kind: 'standing',
  summary: 'Holds events back between the bus and its listeners.',
  schema,
  ...busTarget,
  check: checkScope,
  inject(bus: BusTarget, options, context) {
    tapBus(bus, options, context, (message, traffic) => traffic.hold(message, options.delayMs).answer)
  },
})
