import { defineFault, option, type OptionsOf } from '@chaos/core/authoring'
import { busTarget, type BusTarget } from '../in-process/bus-target.js'
import { checkScope, orderOption, scopeInProcess, scopeOptions } from '../traffic/scope.js'
import { directTraffic } from '../traffic/traffic.js'

const options = {
  copies: option.optional(option.count('Additional deliveries of each affected event.', 1, 1_000), 1),
  spacingMs: option.optional(
    option.durationMs('Time between two deliveries of the same event, in ms. 0: no pause.'),
    0,
  ),
  order: orderOption,
  ...scopeOptions,
  ...scopeInProcess,
}

/** Options of {@link duplicateEvents}. */
export type DuplicateEventsOptions = OptionsOf<typeof duplicateEvents>

/**
 * Delivers events more than once.
 *
 * Models at-least-once delivery: a broker or publisher that never saw the acknowledgement sends the event again. With
 * `order: 'keep'` (the default), events of the same name wait until all copies are delivered. With `free`, a copy may
 * arrive behind newer events, as a real redelivery does. Copies that are held when the fault ends are delivered then.
 */
export const duplicateEvents = defineFault({
  name: 'eventbus/duplicate-events',
  kind: 'standing',
  summary: 'Delivers events more than once.',
  options,
  target: busTarget,
  check: checkScope,
  inject(bus: BusTarget, options, context) {
    const { copies, spacingMs } = options
    // A message that transfers a port cannot exist twice.
    directTraffic(bus, { ...options, applies: ({ isUnique }) => isUnique !== true }, context, (message, traffic) => {
      const answer = traffic.deliver(message)
      for (let copy = 1; copy <= copies; copy += 1) traffic.copy(message, copy * spacingMs)
      return answer
    })
  },
})
